import { testPage } from "../followPage";

testPage("monitoring.md");
