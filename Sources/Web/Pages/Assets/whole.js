// What becomes of a page whose script does not run, because a file of it cannot be had or is another release's: it is loaded once
// more, and says so where that does not help. No module, so that it needs nothing that may be missing.

{
  const AGAIN = "loaded-again"; // in the session's storage, until a page is whole
  const script = document.querySelector("script[type=module]");
  let failed = false;

  function fail() {
    if (failed) return;
    failed = true;
    if (mayLoadAgain()) location.reload();
    else say();
  }

  /** Once, and not where that cannot be remembered: a page that cannot be had would be loaded for ever. */
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
    notice.append("This page did not come whole. ", link);
    document.getElementById("main").prepend(notice);
  }

  function end() {
    removeEventListener("error", fail);
    if (failed) return;
    try {
      sessionStorage.removeItem(AGAIN);
    } catch { /* nothing is remembered there */ }
  }

  // A file that is missing is told at the element, one that lacks what others import at the window. What goes wrong once the
  // script has run is its own affair.
  script.addEventListener("error", fail);
  addEventListener("error", fail);
  script.addEventListener("load", end);
}
