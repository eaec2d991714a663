/*
 * What the page loads: its style and its script, each a resource of its own,
 * since the policy that the page comes with allows nothing inline.
 */


#include "ngx_canary_out.h"


const ngx_canary_str_t  ngx_canary_page_css = ngx_canary_text(
    ":root{color-scheme:light dark;--line:#8884;--dim:#888}\n"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;"
    "margin:2rem auto;padding:0 1rem}\n"
    "body.stale{opacity:.5}\n"
    "header,footer{color:var(--dim)}\n"
    "h1{font-size:1.4rem;margin:0}\n"
    "h2{font-size:1.2rem;margin:0 0 .3rem}\n"
    "section{border:1px solid var(--line);border-radius:8px;"
    "padding:1rem 1.2rem;margin:1.2rem 0;overflow-x:auto}\n"
    ".state{font-size:.8rem;font-weight:600;color:#fff;border-radius:1em;"
    "padding:.15em .7em;vertical-align:middle;background:#666}\n"
    ".active{background:#17803d}.rolled_back{background:#b91c1c}\n"
    ".bar{display:block;width:100%;height:.6rem;border-radius:.3rem;"
    "margin:.6rem 0;background:#8883}\n"
    ".bar rect{fill:#3b82f6}.bar .canary{fill:#eab308;"
    "stroke:#fff}\n"
    "table{border-collapse:collapse;width:100%;"
    "font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.15rem .6rem;text-align:right;white-space:nowrap;"
    "border-bottom:1px solid var(--line)}\n"
    "th:first-child{text-align:left;font-weight:400}\n"
    "td:nth-child(n+2).first,th.first{border-left:1px solid var(--line)}\n"
    ".text td{text-align:left;white-space:normal}\n"
    ".gates,.events{margin:1rem 0}"
    ".gates td:not(:last-child){white-space:nowrap}\n"
    ".pass,.go{color:#17803d;font-weight:600}"
    ".fail,.rollback{color:#b91c1c;font-weight:600}\n"
);

/* an address with a password in it cannot be fetched, hence its parts */
const ngx_canary_str_t  ngx_canary_page_js = ngx_canary_text(
    "'use strict';\n"
    "\n"
    "const PERIOD = 5000;  // milliseconds between two looks\n"
    "\n"
    "// the figures of now into the same page, which keeps its place\n"
    "async function refresh() {\n"
    "    try {\n"
    "        const url = location.origin + location.pathname\n"
    "                    + location.search;\n"
    "        const answer = await fetch(url, {cache: 'no-store'});\n"
    "        if (!answer.ok) {\n"
    "            throw new Error(answer.status);\n"
    "        }\n"
    "        const page = new DOMParser().parseFromString(\n"
    "            await answer.text(), 'text/html');\n"
    "        document.body.replaceWith(page.body);\n"
    "\n"
    "    } catch (error) {\n"
    "        document.body.className = 'stale';\n"
    "    }\n"
    "}\n"
    "\n"
    "async function look() {\n"
    "    if (!document.hidden) {\n"
    "        await refresh();\n"
    "    }\n"
    "    setTimeout(look, PERIOD);\n"
    "}\n"
    "\n"
    "setTimeout(look, PERIOD);\n"
);
