import { testPage } from "../followPage";

testPage("protection.md");
