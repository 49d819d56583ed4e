/** The policy pack: `pulumi preview --policy-pack policies`. A pack starts serving when it is made, so only here. */
import { PolicyPack } from "@pulumi/policy";
import { policies } from "./policies";

new PolicyPack("emqx-aws", { policies, enforcementLevel: "mandatory" });
