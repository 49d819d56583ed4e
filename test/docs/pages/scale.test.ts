import { testPage } from "../followPage";

testPage("scale.md");
