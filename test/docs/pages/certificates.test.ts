import { testPage } from "../followPage";

testPage("certificates.md");
