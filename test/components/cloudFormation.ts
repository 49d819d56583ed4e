/** Resources of a deployment as a CloudFormation template, translated word by word, for tools that read such. */
import type { Registered } from "@emqx-aws/simulator";
import type { Props, Value } from "@emqx-aws/simulator/values";

interface Translation {
  type: string;
  /** Where CloudFormation has another word than the property's own in PascalCase. */
  words?: Record<string, string>;
  /** Where it has another form. */
  forms?: Record<string, (value: Value) => unknown>;
}

const pairs =
  (key: string, value: string) =>
  (map: Value): unknown[] =>
    Object.entries(map as Props).map(([k, v]) => ({ [key]: k, [value]: v }));
const tags = pairs("Key", "Value");
const parsed = (text: Value): unknown => JSON.parse(String(text));

const translations: Record<string, Translation> = {
  "aws:cloudwatch/metricAlarm:MetricAlarm": {
    type: "AWS::CloudWatch::Alarm",
    words: { name: "AlarmName", okActions: "OKActions" },
    forms: { dimensions: pairs("Name", "Value"), tags },
  },
  "aws:cloudwatch/dashboard:Dashboard": { type: "AWS::CloudWatch::Dashboard" },
  "aws:cloudwatch/logGroup:LogGroup": {
    type: "AWS::Logs::LogGroup",
    words: { name: "LogGroupName" },
    forms: { tags },
  },
  "aws:sns/topic:Topic": { type: "AWS::SNS::Topic", words: { name: "TopicName" }, forms: { tags } },
  "aws:ssm/parameter:Parameter": {
    type: "AWS::SSM::Parameter",
    words: { insecureValue: "Value" },
  },
  "aws:iam/rolePolicy:RolePolicy": {
    type: "AWS::IAM::RolePolicy",
    words: { name: "PolicyName", policy: "PolicyDocument", role: "RoleName" },
    forms: { policy: parsed },
  },
};

/** Every resource given must have a translation. A name that Pulumi makes up comes from the outputs. */
export function cloudFormationTemplate(resources: Registered[]): object {
  const entries = resources.map(({ name, type, inputs, outputs }): [string, object] => {
    const translation = translations[type];
    if (!translation) {
      throw new Error(`${type} has no translation into CloudFormation`);
    }
    const { words = {}, forms = {} } = translation;
    const named = "name" in words || "name" in inputs ? { name: outputs?.["name"], ...inputs } : inputs;
    const properties = Object.entries(named)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [words[key] ?? pascal(key), forms[key]?.(value as Value) ?? value]);
    const logicalId = `${name} ${type.split(":")[2]}`.replace(/[^A-Za-z0-9]/g, "");
    return [logicalId, { Type: translation.type, Properties: Object.fromEntries(properties) as object }];
  });
  return { AWSTemplateFormatVersion: "2010-09-09", Resources: Object.fromEntries(entries) };
}

function pascal(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1);
}
