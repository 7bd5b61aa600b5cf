// Kusto's own language service over queries: node kusto.js NODE_MODULES FILE... -> problems as JSON
//
// The tables and functions of Defender and Sentinel that the queries use are declared before them, with the
// columns that Microsoft documents: a misspelt column is a problem, as a misspelt function is.
"use strict";
const fs = require("fs");
const path = require("path");
const [, , modules, ...files] = process.argv;
const service = path.join(modules, "@kusto/language-service-next");
require(path.join(service, "bridge.min.js"));
require(path.join(service, "Kusto.Language.Bridge.min.js"));
const { KustoCode, GlobalState } = globalThis.Kusto.Language;

const DECLARED = [
    "let DeviceNetworkEvents = datatable(Timestamp: datetime, DeviceId: string, DeviceName: string,",
    "    ActionType: string, RemoteIP: string, RemotePort: int, LocalIP: string, LocalPort: int,",
    "    Protocol: string, InitiatingProcessFileName: string, InitiatingProcessCommandLine: string,",
    "    ReportId: long, AdditionalFields: string)[];",
    "let _Im_Dns = (starttime: datetime) { datatable(TimeGenerated: datetime, SrcIpAddr: string,",
    "    DnsQuery: string, DnsResponseName: string)[] | where TimeGenerated > starttime };",
    "let _Im_NetworkSession = (starttime: datetime) { datatable(TimeGenerated: datetime,",
    "    SrcIpAddr: string, SrcPortNumber: int, DstIpAddr: string, DstPortNumber: int,",
    "    NetworkProtocol: string, SrcProcessName: string, EventProduct: string)[]",
    "    | where TimeGenerated > starttime };",
    "",
].join("\n");

const problems = {};
for (const file of files) {
    const text = DECLARED + fs.readFileSync(file, "utf8");
    const found = KustoCode.ParseAndAnalyze(text, GlobalState.Default).GetDiagnostics();
    problems[file] = [];
    for (let i = 0; i < found.Count; i++) {
        const one = found.getItem(i);
        const start = Math.max(one.Start, 0);
        problems[file].push(one.Message + " at " + JSON.stringify(text.slice(start, start + 30)));
    }
}
console.log(JSON.stringify(problems));
