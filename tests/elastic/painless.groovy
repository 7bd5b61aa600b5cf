// Painless text over test vectors: painless.groovy PIPELINES RUNTIME VECTORS -> results as JSON
//
// Groovy is no Painless: what this shows is that the text means, in a language of the JVM with the same
// syntax, types and library, what it is meant to. That Elasticsearch compiles it, it does not show.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

class DocValues { // what doc['field'] is in a runtime field
    List list
    int size() { list.size() }
    def getValue() { list[0] }
}

class Doc {
    Map fields
    boolean containsKey(String name) { fields.containsKey(name) }
    def getAt(String name) { fields[name] }
}

slurper = new JsonSlurper()
shell = new GroovyShell()
vectors = slurper.parse(new File(args[2]))

def processor(name) {
    slurper.parse(new File(args[0], name + '.json')).processors[0].script
}

def run(source, Map variables) {
    def script = compiled.get(source) ?: shell.parse(source)
    compiled[source] = script
    script.binding = new Binding(variables)
    script.run()
}
compiled = [:]

copy = { slurper.parseText(JsonOutput.toJson(it)) }
ingest = vectors.destinations.collect { vector ->
    def ctx = [destination: copy(vector[1])]
    run(processor('calculated-port').source, [ctx: ctx])
    ctx.destination
}
answers = vectors.answers.collect { vector ->
    def ctx = [dns: [resolved_ip: copy(vector[1])]]
    def script = processor('expected-port')
    run(script.source, [ctx: ctx, params: script.params])
    ctx.portent?.expected
}
// Elasticsearch has indexed what a runtime field reads: lists are flat, a port is a number.
runtime = vectors.destinations.collect { vector ->
    def fields = [:]
    def list = { value -> value == null ? [] : value instanceof List ? value : [value] }
    fields['destination.ip'] = new DocValues(list: list(vector[1].ip))
    fields['destination.port'] = new DocValues(list: list(vector[1].port).collect { it.toString() as Long })
    slurper.parse(new File(args[1])).runtime.collectEntries { name, field ->
        def out = []
        run(field.script.source, [doc: new Doc(fields: fields), emit: { out << it }])
        [name, out]
    }
}
println JsonOutput.toJson([ingest: ingest, answers: answers, runtime: runtime])
