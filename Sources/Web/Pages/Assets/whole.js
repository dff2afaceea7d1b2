// Reloads a page once if its script cannot run because a file is missing or from another release, and says so if that
// does not help. Not a module, so that it needs no file that may be missing.

{
  const AGAIN = "loaded-again"; // in sessionStorage, until a page is whole
  const script = document.querySelector("script[type=module]");
  let failed = false;

  function fail() {
    if (failed) return;
    failed = true;
    if (mayLoadAgain()) location.reload();
    else say();
  }

  /** Reloads once, and never if that cannot be recorded: a broken page would reload for ever. */
  function mayLoadAgain() {
    try {
      if (sessionStorage.getItem(AGAIN)) return false;
      sessionStorage.setItem(AGAIN, "yes");
      return true;
    } catch {
      return false;
    }
  }

  function say() {
    const [notice, link] = [document.createElement("p"), document.createElement("a")];
    notice.className = "notice";
    notice.role = "alert";
    link.href = "";
    link.textContent = "Load it again";
    notice.append("This page could not be loaded completely. ", link);
    document.getElementById("main").prepend(notice);
  }

  function end() {
    removeEventListener("error", fail);
    if (failed) return;
    try {
      sessionStorage.removeItem(AGAIN);
    } catch { /* nothing was recorded there */ }
  }

  // A missing file is reported at its element, a missing export at the window. Errors after the script has run are not
  // handled here.
  script.addEventListener("error", fail);
  addEventListener("error", fail);
  script.addEventListener("load", end);
}
