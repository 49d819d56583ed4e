import { testPage } from "../followPage";

/** What judges the files; `.ci/tools` installs it. */
testPage("hosts.md", [
  ["haproxy", "-v"],
  ["keepalived", "-v"],
  ["nft", "-v"],
  ["shellcheck", "--version"],
  ["systemd-analyze", "--version"],
]);
