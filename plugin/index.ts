/** Where Pulumi finds the components' types, of which it makes the schema for other languages. */
export * from "../components";
