// What Grafana's own editor makes of PromQL: node promql.js reads a JSON array
// of expressions, and writes an array of {error} or {selectors}, each of which
// is [name, matchers as they stand, range].

'use strict';

const fs = require('fs');
const {parser} = require('@prometheus-io/lezer-promql');

function read(expr) {
    const text = node => expr.slice(node.from, node.to);
    const selectors = [];
    let error;

    parser.parse(expr).iterate({enter(ref) {
        if (ref.type.isError) {
            error = `at ${ref.from}: ${expr.slice(ref.from, ref.from + 40)}`;
        }
        if (ref.name === 'VectorSelector') {
            const node = ref.node;
            const name = node.getChild('Identifier');
            const matchers = node.getChild('LabelMatchers');
            let range = '';
            if (node.parent && node.parent.name === 'MatrixSelector') {
                range = expr.slice(node.to, node.parent.to);
            }
            selectors.push([name ? text(name) : '',
                matchers ? text(matchers) : '', range]);
        }
    }});

    return error ? {error} : {selectors};
}

console.log(JSON.stringify(
    JSON.parse(fs.readFileSync(0, 'utf8')).map(read)));
