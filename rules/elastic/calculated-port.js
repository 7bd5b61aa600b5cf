// For the `script` processor of Filebeat, Packetbeat and Winlogbeat (ECMAScript 5.1): the fields that
// the ingest pipeline calculated-port writes, where there is no such pipeline.

// The four octets of an IPv4 address, or null. No octal.
function dotted(s) {
    var parts = s.split(".");
    var o = [];
    if (parts.length !== 4) {
        return null;
    }
    for (var i = 0; i < 4; i++) {
        if (!/^(0|[1-9][0-9]{0,2})$/.test(parts[i]) || Number(parts[i]) > 255) {
            return null;
        }
        o.push(Number(parts[i]));
    }
    return o;
}

// 16-bit groups of one side of "::", or null.
function groups(s) {
    var g = [];
    var parts = s === "" ? [] : s.split(":");
    for (var i = 0; i < parts.length; i++) {
        if (i === parts.length - 1 && parts[i].indexOf(".") >= 0) {
            var o = dotted(parts[i]);
            if (o === null) {
                return null;
            }
            g.push(o[0] * 256 + o[1], o[2] * 256 + o[3]);
        } else if (/^[0-9A-Fa-f]{1,4}$/.test(parts[i])) {
            g.push(parseInt(parts[i], 16));
        } else {
            return null;
        }
    }
    return g;
}

// The same of IPv6 that holds IPv4: ::ffff:0:0/96 and 64:ff9b::/96.
function octets(s) {
    if (s.indexOf(":") < 0) {
        return dotted(s);
    }
    var sides = s.split("::");
    var head = groups(sides[0]);
    var tail = sides.length > 1 ? groups(sides[1]) : [];
    if (sides.length > 2 || head === null || tail === null) {
        return null;
    }
    if (sides.length === 2 && sides[0].indexOf(".") >= 0) {
        return null;
    }
    var missing = 8 - head.length - tail.length;
    if (sides.length > 1 ? missing < 1 : missing !== 0) {
        return null;
    }
    while (missing-- > 0) {
        head.push(0);
    }
    var g = head.concat(tail);
    var zero = g[2] === 0 && g[3] === 0 && g[4] === 0;
    var mapped = zero && g[0] === 0 && g[1] === 0 && g[5] === 0xffff;
    var nat64 = zero && g[0] === 0x64 && g[1] === 0xff9b && g[5] === 0;
    if (!mapped && !nat64) {
        return null;
    }
    return [g[6] >> 8, g[6] & 255, g[7] >> 8, g[7] & 255];
}

// The value of a field that has exactly one.
function single(event, field) {
    var value = event.Get(field);
    if (value === null || value === undefined) {
        return null;
    }
    if (typeof value === "object" && typeof value.length === "number") {
        return value.length === 1 ? value[0] : null;
    }
    return value;
}

function process(event) {
    event.Delete("destination.calculated_port_apt12");
    event.Delete("destination.calculated_port_variant");
    event.Delete("destination.calculated_port_match");
    var ip = single(event, "destination.ip");
    var o = ip === null ? null : octets(String(ip));
    if (o === null) {
        return;
    }
    var apt12 = o[0] * o[1] + o[2];
    var variant = o[0] * (o[1] + o[2]);
    event.Put("destination.calculated_port_apt12", apt12);
    event.Put("destination.calculated_port_variant", variant);
    var port = single(event, "destination.port");
    var match = [];
    if (String(port) === String(apt12)) {
        match.push("apt12");
    }
    if (String(port) === String(variant)) {
        match.push("variant");
    }
    if (match.length > 0) {
        event.Put("destination.calculated_port_match", match);
    }
}
