/// The commonest passwords of twelve characters and more, in lower case: those of published leaks, and what people make
/// of a common word, a year and a run of keys when twelve characters are asked for.
enum CommonPasswords {
  static func contains(_ password: String) -> Bool { all.contains(password.lowercased()[...]) }

  private static let all = Set(list.split(whereSeparator: { $0 == "|" || $0.isNewline }))

  private static let list = #"""
    !qaz2wsx3edc|!qaz@wsx#edc|000000000000|010203040506|012345678901|0123456789012|012345678910|014702580369|
    01telemike01|098765432109|0r968ji9ufj6|102030405060|111111111111|111111111111111|1111111111zz|111222333000|
    111222333444555|111222tianya|112211221122|112233445566|121212121212|122333444455555|123123123123|123123qweqwe|
    123321123321|123321456654|123321qweewq|123412341234|123456123456|123456654321|123456782000|1234567887654321|
    1234567890-=|123456789000|12345678900987654321|123456789012|1234567890123|12345678901234|123456789012345|
    1234567890123456|12345678901234567890|1234567890987654321|1234567890qaz|1234567890qw|1234567890qwe|
    1234567890qwerty|1234567890qwertyuiop|1234567890zzz|123456789101|1234567891011|123456789101112|123456789123|
    123456789123456|1234567891234567|123456789123456789|1234567892000|12345678987654321|123456789987654321|
    123456789abc|123456789asd|123456789qaz|123456789qqq|123456789qwe|123456789qwer|123456789qwerty|123456789zxc|
    1234567qwertyu|123456qwerty|1234asdf1234|1234qwer1234|1234qwerasdf|1234qwerasdfzxcv|123admin321a|123qwe123qwe|
    123qwe456rty|123qweasdzxc|123qwerty123|12qw34er56ty|131313131313|159753159753|159753456852|1a2b3c4d5e6f|
    1a2s3d4f5g6h|1q2w3e4r1q2w|1q2w3e4r5t6y|1q2w3e4r5t6y7u|1q2w3e4r5t6y7u8i|1q2w3e4r5t6y7u8i9o|
    1q2w3e4r5t6y7u8i9o0p|1qa2ws3ed4rf|1qa2ws3ed4rf5tg|1qaz!qaz1qaz|1qaz1qaz1qaz|1qaz2wsx3edc|1qaz2wsx3edc4rfv|
    1qaz2wsx3edc4rfv5tgb|1qazxsw23edc|1qazxsw23edcvfr4|222222222222|23176djivanfros|31217221027711|32615948worms|
    41d8cd98f00b|4815162342lost|520love101182|541233432442|5532361cnjqrf|555555555555|59382113kevinp|696969696969|
    742617000027|777777777777|888888888888|89231243658s|89876065093rax|987654321012|999999999999|??????@mail.ru|
    a1b2c3d4e5f6|a1s2d3f4g5h6|aaaaaaaaaaaa|abc123456789|abc123abc123|abcabcabcabc|abcd12345678|abcdef123456|
    abcdefgh1234|abcdefghijkl|abcdefghijklm|abcdefghijklmnop|abcdefghijklmnopqrstuvwxyz|admin1234567|
    admin12345678|admin123456789|admin123admin|admin18533362|admin@123456|admin@12345678|adminadmin12|
    adminadmin123|adminadminadmin|administrator|administrator1|administrator123|amadeusptfcor|an83546921an13|
    andrewjackie|antananarivu|arabella24630|arsenal12345|asdf1234asdf|asdfasdf1234|asdfasdfasdf|asdfgh123456|
    asdfghjkl123|asdfghjkl1234|asdfghjkl:&#39:|asdfghjklzxc|auckland2010|autumn123456|avrillavigne|babygirl1234|
    barcelona123|baseball1234|basketball12|basketball123|batman123456|blessed12345|bltynbabrfwbz|boy4u2ownnyc|
    bpgjldsgjldthnf|businessbabe|butterfly123|changeit1234|changeme123!|changeme1234|changeme12345|changemenow1|
    changemeplease|charlie12345|chelsea12345|chickenwing101|chocolate123|christopher1|cjdthitycndj|combat123654|
    computer1234|contortionist|cookiemonster|corperfmonsy|correct horse battery staple|
    correct-horse-battery-staple|correcthorse|correcthorsebatterystaple|cosmopolitan|counterstrike|december1234|
    default12345|defaultpassword|demon1q2w3e4r|demon1q2w3e4r5t|devilmaycry4|dfg5fhg5vgfh1|digitalprodu|
    dkflbvbhjdbx|dkflbvbhjdyf|domainlock2005|doomsayer.2.7mords.v|doomsayer.2.7mords.vv|dragon123456|edwardcullen|
    ezekiel11991|facebook1234|fallen_angel|familiyafamiliya|finalfantasy|fkmnthyfnbdf|fktrcfylhjdbx|fktrcfylhjdf|
    fktrcfylhjdyf|flvbybcnhfnjh|football1234|football2024|fortnite1234|frederiksberg|freedom12345|friend of emily|
    friend of gerly|friend of joan|fynfyfyfhbde|g13916055158|gettherefast|gfhjkmgfhjkm|ghbdtnghbdtn|ghbdtnrfrltkf|
    ghhh47hj7649|ghjcnjgbpltw|ghjcnjgfhjkm|ghjcnjghjcnj|ghjcnjqgfhjkm|ghjcnjrdfibyj|ghjnbdjcnjzybt|gjkysqgbpltw|
    google123456|googletester|greenlantern|gtnhjpfdjlcr|guest1234567|guestguest12|hannahmontana|hawkesbury93|
    hd764nw5d7e1vb1|hedimaptfcor|hello1234567|hellohello12|hellohello123|helloworld12|helloworld123|
    helloworld1234|heterosexual|iampurehaha2|ichliebedich|ihatethisgame|ilovejesus123|ilovemyfamily|ilovemyself1|
    iloveyou1234|iloveyou12345|iloveyou123456|iloveyoubaby|iloveyouforever|iloveyousomuch|imyaimyaimya|
    inactive1996aug|ingodwetrust|instagram123|installdevic|installsqlst|international|internazionale|internet1234|
    iphone123456|jamesbond007|january12345|jesus1234567|jesuschrist1|jesuslovesme|jkiuztdftl57|
    john!20130605at1753|jordan123456|jundian2011xr|justinbieber|kartoffelpuffer|killer123456|knackwurst8853|
    laurel12creek|leavemealone|leliane50934|letmein12345|letmein123456|letmeinnow123|letmeinplease|
    lhbjkjubz2957704|lightpower12345|linkedin1234|linkedin2011|liverpool123|liverpool1234|login1234567|
    lost4815162342|lovelove1234|lovelovelove|loveyou12345|lydcc20091314|lytghjgtnhjdcr|m01759766727|
    mailcreated5240|manchester123|manchesterunited|maprchem56458|marek14michal|massimiliano|master123456|
    masterbaiting|maurolarastefy|mega_pizdetz666|megaparol12345|mevefalkcakk|michael12345|michaeljackson|
    microsoft123|migrationschool|minecraft123|minecraft1234|minnesota_hp|moderncombat|monday123456|monkey123456|
    morganstanley|mortalkombat|msorcloledbr|my_password_123|mypassword123|mypassword1234|n8zgt5p0shw=|
    natiichen999|needforspeed|nemvxyheqdd5oqxyxyzi|networkingpe|neworleans12345|newpassword1|newpassword123|
    newproject2004|nhecsyfujkjdt|nhfdvfnjkju123|nhfycajhvths|nightcrawler|nondriversig|november2024|olcrackmaster|
    onedirection|ontheoutside|p030710p$e4o|p@ssw0rd123!|p@ssw0rd1234|p@ssw0rd12345|p@ssw0rd2024|p@ssw0rd2025|
    p@ssw0rd2026|p@ssword1234|pa$$w0rd1234|pa$$word1234|pa55w0rd1234|pa55word1234|paraklast1974|pass1234pass|
    passpasspass|passw0rd1234|passw0rd12345|password!123|password#123|password-1234|password.1234|password123!|
    password1234|password1234!|password12345|password12345!|password123456|password1234567|password12345678|
    password123456789|password1234567890|password1password1|password2020|password2021|password2022|password2023|
    password2024|password2025|password2026|password@123|password@1234|passwordpassword|passwordpassword1|
    passwordstandard|pe#5gz29ptzmse|peanutbutter|playstation2|playstation3|poiuytrewqlk|pokemon12345|
    pokemon123456|princess1234|princess12345|professional|projectsadminx|przyjaciolki|ptybnxtvgbjy|punksnotdead|
    q1w2e3r4t5y6|q1w2e3r4t5y6u7|q1w2e3r4t5y6u7i8|q1w2e3r4t5y6u7i8o9p0|qawsedrftgyh|qaz123wsx456|qazwsxedc123|
    qazwsxedcrfv|qazwsxedcrfvtgb|qazwsxedcrfvtgbyhnujm|qazxswedc123|qazxswedcvfr|qwaszxerdfcv|qwe123qwe123|
    qweasdzxc123|qwegta13091990|qweqweqweqwe|qwer1234qwer|qwerasdfzxcv|qwertasdfgzxcvb|qwerty123123|qwerty123456|
    qwerty1234567|qwerty12345678|qwerty123456789|qwerty123qwerty|qwertyasdfgh|qwertypassword|qwertyqwerty|
    qwertyqwerty123|qwertyuiop10|qwertyuiop12|qwertyuiop123|qwertyuiop1234|qwertyuiop12345|qwertyuiop[]|
    qwertyuiopas|qwertyuiopasdfghjkl|qwertyuiopasdfghjklzxcvbnm|qwertyytrewq|realmadrid123|residentevil|
    rfnthbyf1988|roblox123456|rootpassword|rootroot1234|s8ylpe9jdpvym|samsung12345|sanfrancisco|saun24865709|
    schoolgirlie|sdf7asdf6asdg8df|sebastian106|secret123456|secretpassword|seemnemaailm|seniseviyorum|
    shadow123456|sojdlg123aljg|somanypickles27|sonnenschein|sonyericsson|specialinsta|spring123456|startfinding|
    starwars1234|starwarsfan10|stefangreil1983|stickdaddy77|stinkyfinger|stratocaster|summer123456|summer2024!!|
    sunshine1234|superman1234|supernatural|supersecret1|supersecret123|superuser123|systemofadown|telechargement|
    temporary123|temppassword|test12345678|test123456789|test1234test|testing12345|testpassword|testpassword1|
    testtesttest|thecakeisalie|thepassword1|thisisapassword|thisismypassword|ticketmaster|toor12345678|
    topsecret123|total12scherz|transformers|trustno1trustno1|user12345678|username1234|vanyarespekt|vfhbyfvfhbyf|
    vfrcbvvfrcbv|vfvfvskfhfve|vitor1268123|vladimirovna|warhammer40k|wazzkaprivet|websolutions|websolutionssu|
    webuivalidat|weihnachtsbau|weihnachtsbaum|welcome1234!|welcome12345|welcome123456|welcome2024!|welcome2025!|
    welcome2026!|welcome@1234|welcomeback1|welcometohell|weronika1992|whatever1234|whosyourdaddy|windows12345|
    winter123456|xantria10315|xtseo2011tdx|xxxp455w0rd5|yandi20080527|yemi19900911|yfdbufnjh10305070|yourpassword|
    z1x2c3v4b5n6m7|zaq12wsxcde3|zaq1xsw2cde3|zaq1zaq1zaq1|zaqwsxcderfv|zcfvfzkexifz|zmx870919123|zqjphsyf6ctifgu|
    zxcasdqwe123|zxcvbn123456|zxcvbnm123456789|zxcvbnmasdfgh|
    """#
}
