import { testPage } from "../followPage";

testPage("backup.md");
