import { testPage } from "../followPage";

/** Other people's clients; `.ci/tools` installs them. */
testPage("connect.md", [
  ["mosquitto_pub", "--help"],
  ["python3", "-c", "import paho.mqtt"],
]);
