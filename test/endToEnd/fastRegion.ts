/** The region's process with shorter waits: health checks, boots and clusters in a twentieth of their time. */
process.argv.push("--time-scale", "0.05");
void import("@emqx-aws/simulator/main");
