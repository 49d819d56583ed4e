import { testPage } from "../followPage";

testPage("upgrade.md");
