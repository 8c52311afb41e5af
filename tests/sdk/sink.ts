// Calls every function of nur.ts and tells what came of it; report.txt is what all languages must
// say.
import {
  Failure, Level, TcpStream, clock, db, env, failure, http, kv, log, logAt, random, request, response, toBytes, toText,
} from "../../functions/sdk/assemblyscript/nur";

let report = "";

function line(name: string, text: string): void {
  report += name + " " + text + "\n";
}
function text(name: string, value: string | null): void {
  line(name, value === null ? "absent" : value);
}
function bytes(name: string, value: Uint8Array | null): void {
  line(name, value === null ? "absent" : toText(value));
}
function truth(name: string, value: bool): void {
  line(name, value ? "true" : "false");
}
function done(name: string, code: i32): void {
  const words = ["Failed", "Limit", "Denied", "Invalid", "TimedOut"];
  line(name, code >= 0 ? "ok" : words[-1 - code]);
}
function keys(name: string, after: string): void {
  const found = kv.list("k/", after)!;
  report += name;
  for (let i = 0; i < found.length; ++i) report += " " + found[i];
  report += "\n";
}

function ask(): void {
  line("method", request.method());
  line("target", request.target());
  line("path", request.path());
  line("query", request.query());
  const client = request.client();
  line("client", client.substring(0, client.lastIndexOf(":")));
  text("header", request.header("X-SINK"));
  text("no header", request.header("X-None"));
  const headers = request.headers();
  truth("headers", headers.includes(": one\r\n") && headers.includes(": two\r\n"));
  bytes("body", request.body(100));
  line("body end", request.readBody(new Uint8Array(10)).toString());
}

function process(): void {
  text("env", env.get("greeting"));
  text("db", db.get("greeting"));
  text("no env", env.get("nothing"));
  const one = new Uint8Array(8), two = new Uint8Array(8);
  random(one);
  random(two);
  truth("random", load<i64>(one.dataStart) != load<i64>(two.dataStart));
  truth("wall", clock.wall() > 1600000000000000000);
  const begun = clock.monotonic();
  clock.sleep(20000000);
  truth("slept", clock.monotonic() - begun >= 19000000);
}

function store(): void {
  done("set", kv.set("k/a", toBytes("value")));
  bytes("get", kv.get("k/a"));
  bytes("no key", kv.get("k/none"));
  line("increment", kv.increment("k/b", 5).value.toString());
  line("decrement", kv.increment("k/b", -8).value.toString());
  done("no number", kv.increment("k/a", 1).code);
  keys("keys", "");
  keys("keys behind", "k/a");
  keys("no keys", "k/b");
  truth("delete", kv.remove("k/a") == 1);
  truth("delete again", kv.remove("k/a") == 1);
  kv.remove("k/b");
  done("set for a while", kv.set("k/c", toBytes("value"), 5));
  clock.sleep(50000000);
  bytes("expired", kv.get("k/c"));
}

function reason(nothing: bool): i32 {
  return nothing ? failure() : 0;
}

function fetch(): void {
  const backend = "http://" + env.get("backend")!;
  const answer = http.open("POST", backend + "/pong", "X-Ask: yes\r\n", toBytes("ping"), 5000)!;
  line("http", answer.status().toString());
  text("http header", answer.header("x-BACK"));
  text("no http header", answer.header("X-None"));
  truth("http headers", answer.headers().includes(": back\r\n"));
  bytes("http body", answer.body(100));
  answer.close();
  done("http not granted", reason(http.open("GET", "http://192.0.2.1/", "", null, 1000) === null));
  done("http no url", reason(http.open("GET", "nonsense") === null));
  done("http too slow", reason(http.open("GET", backend + "/slow", "", null, 50) === null));
}

function connect(): void {
  const connection = TcpStream.connect(env.get("echo")!)!;
  connection.write(toBytes("ping"));
  const chunk = new Uint8Array(64);
  let back = "";
  for (let got: i32; (got = connection.read(chunk)) > 0; ) back += toText(chunk.subarray(0, got));
  line("tcp", back);
  connection.close();
  done("tcp not granted", reason(TcpStream.connect("192.0.2.1:80") === null));
  done("tcp refused", reason(TcpStream.connect(env.get("closed")!) === null));
}

export function handle(): void {
  log("a line of info");
  logAt(Level.error, "a line of error");
  logAt(Level.warning, "a line of warning");
  logAt(Level.info, "another line of info");
  logAt(Level.debug, "a line of debug");

  ask();
  process();
  store();
  fetch();
  connect();

  response.setStatus(200, "All called");
  response.setHeader("Content-Type", "text/plain");
  response.setHeader("X-Sink", "one");
  response.setHeader("X-Sink", "two");
  const all = toBytes(report);
  if (request.header("X-Whole") !== null) {
    response.setBody(all);
    return;
  }
  if (response.write(all.subarray(0, 10)) != 0 || response.write(all.subarray(10)) != 0) {
    log("sending failed: " + Failure.failed.toString());
  }
}
