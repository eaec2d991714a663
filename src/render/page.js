'use strict';

const PERIOD = 2000;  // milliseconds between two looks

// makes "old" what "now" is and keeps its nodes: so focus, folds and
// scrolled places stay
function morph(old, now) {
    for (const a of [...old.attributes]) {
        if (!now.hasAttribute(a.name) && a.name !== 'open') {
            old.removeAttribute(a.name);
        }
    }
    for (const a of now.attributes) {
        if (a.name !== 'open' && old.getAttribute(a.name) !== a.value) {
            old.setAttribute(a.name, a.value);
        }
    }

    let at = old.firstChild;
    for (const child of [...now.childNodes]) {
        const same = child.id && document.getElementById(child.id);
        if (same && same !== at && same.parentNode === old) {
            old.insertBefore(same, at);
            at = same;
        }
        if (!at || at.nodeName !== child.nodeName || at.id !== child.id) {
            old.insertBefore(document.adoptNode(child), at);
            continue;
        }
        if (at.nodeType === Node.ELEMENT_NODE) {
            morph(at, child);
        } else if (at.data !== child.data) {
            at.data = child.data;
        }
        at = at.nextSibling;
    }
    while (at) {
        const next = at.nextSibling;
        at.remove();
        at = next;
    }
}

// a text that is selected stays so, unless it is gone
function replace(page) {
    const s = getSelection();
    const {anchorNode, anchorOffset, focusNode, focusOffset} = s;
    const selected = !s.isCollapsed;

    morph(document.querySelector('main'), page.querySelector('main'));

    if (selected && anchorNode.isConnected && focusNode.isConnected) {
        try {
            s.setBaseAndExtent(anchorNode, anchorOffset,
                               focusNode, focusOffset);
        } catch {}  // it is shorter now
    }

    document.title = page.title;
    const icon = page.querySelector('link[rel=icon]').href;
    const shown = document.querySelector('link[rel=icon]');
    if (shown.href !== icon) {
        shown.href = icon;
    }
}

// what a chart says at a point: its text comes with the chart
let seen = null;  // the chart's id, and the place in units of the plot

function show() {
    const chart = seen && document.getElementById(seen.id);
    if (!chart) {
        return;
    }
    const points = chart.dataset.points.split('\n').map(
        line => line.split(/[ |](.*)/s));
    let i = points.length - 1;
    while (i > 0 && seen.place < (+points[i - 1][0] + +points[i][0]) / 2) {
        i--;
    }
    const [time, ...values] = points[i][1].split('|');
    const names = chart.dataset.names.split('|');
    chart.querySelector('.at').textContent = time + ' '
        + values.map((value, n) => names[n] + ' ' + value).join(', ');
    const cursor = chart.querySelector('.cursor');
    cursor.setAttribute('x1', points[i][0] / 36 + '%');
    cursor.setAttribute('x2', points[i][0] / 36 + '%');
    return {points, i};
}

function leave() {
    if (seen) {
        seen.place = Infinity;
        show();
        document.getElementById(seen.id)?.querySelector('.cursor')
            .removeAttribute('x1');
        seen = null;
    }
}

document.addEventListener('pointermove', event => {
    const chart = event.target.closest('[data-points]');
    if (seen?.id !== chart?.id) {
        leave();
    }
    if (chart) {
        const plot = chart.querySelector('svg').getBoundingClientRect();
        seen = {id: chart.id, place: 3600 * (event.clientX - plot.left)
                                     / plot.width};
        show();
    }
});

document.addEventListener('keydown', event => {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    const id = document.activeElement?.dataset.points
        && document.activeElement.id;
    if (!step || !id) {
        return;
    }
    event.preventDefault();
    if (seen?.id !== id) {
        leave();
        seen = {id, place: Infinity};
    }
    const {points, i} = show();
    seen.place = +(points[i + step] || points[i])[0];
    document.getElementById(id).querySelector('.at')
        .setAttribute('aria-live', 'polite');
    show();
});

document.addEventListener('focusout', leave);

function tell(text) {
    const lost = document.getElementById('lost');
    if (lost.textContent !== text) {
        lost.textContent = text;
    }
    document.body.classList.toggle('stale', text !== '');
}

// an address with a password in it cannot be fetched, hence its parts
async function look() {
    try {
        const answer = await fetch(
            location.origin + location.pathname + location.search,
            {cache: 'no-store', signal: AbortSignal.timeout(5 * PERIOD)});
        if (!answer.ok) {
            throw new Error('status ' + answer.status);
        }
        replace(new DOMParser().parseFromString(await answer.text(),
                                                'text/html'));
        show();
        tell('');
    } catch (error) {
        tell('No answer from nginx: the figures are those of '
             + document.querySelector('main').dataset.time + '.');
    }
}

async function watch() {
    if (!document.hidden) {
        await look();
    }
    setTimeout(watch, PERIOD);
}

setTimeout(watch, PERIOD);
