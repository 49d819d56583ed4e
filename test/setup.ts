/** Pulumi captures a stack trace for every promise, and jest maps every frame: short traces halve the tests' time. */
Error.stackTraceLimit = 4;
