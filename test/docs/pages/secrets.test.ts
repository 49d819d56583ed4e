import { testPage } from "../followPage";

testPage("secrets.md");
