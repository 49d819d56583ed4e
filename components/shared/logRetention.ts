import { checked } from "./inputs";
import { choiceProblems } from "./words";

/** The retention periods of CloudWatch Logs, in days (PutRetentionPolicy, API reference). */
const logRetentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export const logRetentionInput = checked("number", (input, days) =>
  choiceProblems(input, days, logRetentionDays),
);
