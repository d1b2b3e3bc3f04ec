/** Metrics: a server in numbers, in the text format of Prometheus, version 0.0.4. */
import { memberStatuses } from "../ring/member.ts";
import type { Activity } from "./activity.ts";
import type { Backend } from "./backend.ts";
import { bucketSeconds, type Histogram } from "./histogram.ts";

/** What is sent as the content type of metrics. */
export const metricsType = "text/plain; version=0.0.4; charset=utf-8";

/** The labels of a sample; their values are ours, or of a list that is known. */
type Labels = Readonly<Record<string, string>>;

/** One metric: what it says, and its samples. */
interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly samples: readonly (readonly [Labels, number])[];
}

/** All metrics of a server; `now` is milliseconds of `performance.now()`. */
export function metricsText(backend: Backend, now: number): string {
  const { activity } = backend;
  return [
    ...trafficMetrics(activity).map(metricText),
    histogramText("ring_http_request_duration_seconds", {
      help: "How long requests over HTTP took.",
      histogram: activity.traffic.seconds,
    }),
    ...ringMetrics(activity).map(metricText),
    histogramText("ring_check_duration_seconds", {
      help: "How long it took until a CHECK was answered.",
      histogram: activity.checkSeconds,
    }),
    ...stateMetrics(backend, now).map(metricText),
  ].join("");
}

function trafficMetrics({ traffic }: Activity): Metric[] {
  const requests = [...traffic.answered].map(([key, count]) => {
    const [method = "", status = ""] = key.split(" ");
    return [{ method, status }, count] as const;
  });
  return [
    counter("ring_http_requests_total", "Requests answered over HTTP.", requests),
    counter("ring_http_received_bytes_total", "Bytes received over HTTP.", traffic.bytesReceived),
    counter("ring_http_sent_bytes_total", "Bytes sent over HTTP.", traffic.bytesSent),
    gauge("ring_http_connections", "Connections of HTTP that are open.", traffic.connections),
  ];
}

function ringMetrics(activity: Activity): Metric[] {
  const { sent, received, circles, repaired, damaged, refusals } = activity;
  return [
    counter("ring_messages_sent_total", "Messages sent to other servers.", byLabel("type", sent)),
    counter(
      "ring_messages_received_total",
      "Messages received from other servers.",
      byLabel("type", received),
    ),
    counter(
      "ring_circles_total",
      "Circular messages that this server has begun.",
      byLabel("about", circles),
    ),
    counter("ring_hops_total", "Circular messages passed on, one hop each.", hops(sent)),
    counter("ring_repaired_records_total", "Records had from others by comparing.", repaired),
    counter("ring_damaged_records_total", "Records and bodies found damaged.", damaged),
    counter(
      "ring_refused_total",
      "What was refused or given up as a bound was reached.",
      byLabel("bound", refusals.counts),
    ),
  ];
}

function stateMetrics(backend: Backend, now: number): Metric[] {
  const { files, bytes, members, readOnly, version, id } = backend.status();
  const isReady = members.some((member) => member.id === id && member.status === "alive");
  const byStatus = memberStatuses.filter((status) => status !== "forgotten").map((status) =>
    [{ status }, members.filter((member) => member.status === status).length] as const
  );
  const uptime = (now - backend.activity.begunAt) / 1000;
  return [
    gauge("ring_files", "Files on this server.", files),
    gauge("ring_stored_bytes", "Bytes in the files on this server.", bytes),
    gauge("ring_members", "Servers of the list, by what this one holds of them.", byStatus),
    gauge("ring_ready", "Whether this server is a full copy.", isReady ? 1 : 0),
    gauge("ring_disk_full", "Whether there is no room for files.", readOnly ? 1 : 0),
    gauge("ring_uptime_seconds", "Since the start of this server.", uptime),
    gauge("ring_info", "The version of this server.", [[{ version }, 1]]),
  ];
}

function hops(sent: ReadonlyMap<string, number>): number {
  return (sent.get("FORWARD") ?? 0) + (sent.get("UPDATE") ?? 0);
}

function byLabel(
  label: string,
  counts: ReadonlyMap<string, number>,
): (readonly [Labels, number])[] {
  return [...counts].map(([value, count]) => [{ [label]: value }, count]);
}

function counter(name: string, help: string, value: number | Metric["samples"]): Metric {
  return { name, help, type: "counter", samples: samplesOf(value) };
}

function gauge(name: string, help: string, value: number | Metric["samples"]): Metric {
  return { name, help, type: "gauge", samples: samplesOf(value) };
}

function samplesOf(value: number | Metric["samples"]): Metric["samples"] {
  return typeof value === "number" ? [[{}, value]] : value;
}

function metricText({ name, type, help, samples }: Metric): string {
  const lines = samples.map(([labels, value]) => `${name}${labelsText(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function histogramText(
  name: string,
  { help, histogram }: { help: string; histogram: Histogram },
): string {
  const counts = histogram.cumulative();
  const bounds = [...bucketSeconds.map(String), "+Inf"];
  const lines = counts.map((count, index) => `${name}_bucket{le="${bounds[index]}"} ${count}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} histogram\n${lines.join("")}` +
    `${name}_sum ${histogram.sum}\n${name}_count ${counts.at(-1) ?? 0}\n`;
}

function labelsText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n");
}
