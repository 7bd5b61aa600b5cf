// The script processor's text over test vectors, as Beats call it: node beats.js SCRIPT VECTORS
"use strict";
const fs = require("fs");
const vm = require("vm");

// What Beats hand to process(): fields by dotted names.
class Event {
    constructor(fields) {
        this.fields = fields;
    }
    parent(name) {
        const keys = name.split(".");
        const last = keys.pop();
        return [keys.reduce((at, key) => (at ? at[key] : undefined), this.fields), last];
    }
    Get(name) {
        const [at, key] = this.parent(name);
        return at && key in at ? at[key] : null;
    }
    Put(name, value) {
        const [at, key] = this.parent(name);
        at[key] = value;
    }
    Delete(name) {
        const [at, key] = this.parent(name);
        return at ? delete at[key] : false;
    }
}

const context = vm.createContext({});
vm.runInContext(fs.readFileSync(process.argv[2], "utf8"), context);
const vectors = JSON.parse(fs.readFileSync(process.argv[3], "utf8"));
const results = vectors.destinations.map(([, destination]) => {
    const event = new Event({ destination: { ...destination } });
    context.process(event);
    return event.fields.destination;
});
const bare = new Event({});
context.process(bare); // no destination at all
console.log(JSON.stringify({ ingest: results, bare: bare.fields }));
