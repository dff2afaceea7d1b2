"""The steps of docs/kubernetes.md for Postgres, run as written, on a Postgres like CloudNativePG's: with its own roles,
and a superuser who can sign in through the socket only. Calls to the cluster's API are left out.
"""
import re
import unittest

from Tests.Recovery.site import PASSWORD, ROOT, Site

KUBECTL = r"""#!/bin/bash
# Of the cluster there is the primary: what is to run in it runs here, by its socket.
set -e
case "$*" in
  *" get pod "*) echo pod/postgres-1 ;;
  *" exec "*"pod/postgres-1 --container postgres -- "*)
    while [ "$1" != -- ]; do shift; done
    shift
    export PGHOST=SOCKET PGUSER=postgres
    exec "$@" ;;
  *) exit 64 ;;
esac
"""


def blocks(title):
    """The shell blocks of a section."""
    section = re.search(rf"(?ms)^##+ {title}\n(.*?)(?=^##+ )", (ROOT / "docs/kubernetes.md").read_text())[1]
    return re.findall(r"(?ms)^```sh\n(.*?)```", section)


class Kubernetes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = site = Site()
        cls.addClassCleanup(site.end)
        site.begin()  # as in compose, with a superuser of another name
        site.grower()
        site.stop("server")
        cls.dump = site.folder / "state/terroir.dump"
        site.run("pg_dump", "-h", site.socket, "-U", "terroir", "--format=custom", f"--file={cls.dump}", "terroir")
        cls.schema = cls.schema_of_user("terroir")
        site.stop_postgres()
        site.data.rename(site.folder / "compose")
        site.run("initdb", "-D", site.data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums")
        with open(site.data / "postgresql.conf", "a") as file:
            file.write(f"listen_addresses = ''\nunix_socket_directories = '{site.socket}'\nmax_connections = 250\n")
        site.start_postgres()
        for role in ("terroir_owner", "terroir_api"):
            cls.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'of {role}'", "postgres")
        cls.passwords = cls.stored_passwords()
        kubectl = site.folder / "bin/kubectl"
        kubectl.write_text(KUBECTL.replace("SOCKET", str(site.socket)))
        kubectl.chmod(0o755)
        site.own(kubectl)

    @classmethod
    def sql(cls, text, database="terroir"):
        return cls.site.run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", cls.site.socket, "-U", "postgres", "-c", text, database).stdout.strip()

    @classmethod
    def stored_passwords(cls):
        return cls.sql("SELECT rolname, rolpassword FROM pg_authid WHERE rolname IN ('terroir_owner', 'terroir_api') ORDER BY 1", "postgres")

    @classmethod
    def schema_of_user(cls, user):
        text = cls.site.run("pg_dump", "-h", cls.site.socket, "-U", user, "--schema-only", "terroir").stdout
        # Except for a random word, and the role that makes backups in compose.
        return re.sub(r"(?m)^(--|\\(un)?restrict |GRANT .* TO terroir_backup|$).*\n", "", text)

    def setUp(self):
        self.sql("DROP DATABASE IF EXISTS terroir WITH (FORCE)", "postgres")
        self.sql("CREATE DATABASE terroir OWNER terroir_owner", "postgres")

    def follow(self, *steps):
        """Runs steps in the project's folder."""
        return self.site.run("bash", "-euo", "pipefail", "-c", "".join(steps), cwd=ROOT)

    @property
    def grants(self):
        """The last lines of the initial setup: where the primary is, and the roles."""
        return "".join(blocks("Before the first time")[-1].splitlines(keepends=True)[-2:])

    def test_the_first_release_finds_its_roles(self):
        self.follow(self.grants)
        self.assertEqual(self.stored_passwords(), self.passwords)
        self.serves()

    def test_data_from_compose_comes_along(self):
        self.follow(self.grants, blocks("From compose")[-1].replace("<terroir.dump", f"<{self.dump}"))
        self.assertEqual(self.sql("SELECT email FROM users"), "rosa@example.org")
        self.assertEqual(self.schema_of_user("postgres"), self.schema)
        self.serves()

    def serves(self):
        """The migration as the owner, and a server with its own role."""
        def url(role):
            return self.site.database_url.replace("terroir@", f"{role}@", 1)

        self.site.run(self.site.folder / "terroir", "migrate", DATABASE_URL=url("terroir_owner"))
        self.site.environment |= {"DATABASE_URL": url("terroir_api"), "MIGRATE_ON_START": "off"}
        self.site.start_server()
        self.addCleanup(self.site.stop, "server")
        login = {"email": "ada@example.org", "password": PASSWORD}
        self.site.post("/api/users", {**login, "displayName": "Ada"})
        self.assertIn("accessToken", self.site.post("/api/sessions", login))
