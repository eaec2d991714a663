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
    const ends = [s.anchorNode, s.anchorOffset, s.focusNode, s.focusOffset];

    morph(document.querySelector('main'), page.querySelector('main'));

    if (ends[0] && ends[2] && !s.isCollapsed) {
        for (const i of [0, 2]) {
            const node = ends[i];
            ends[i + 1] = Math.min(ends[i + 1],
                                   (node.data || node.childNodes).length);
        }
        if (ends[0].isConnected && ends[2].isConnected) {
            s.setBaseAndExtent(...ends);
        }
    }

    document.title = page.title;
    const icon = page.querySelector('link[rel=icon]').href;
    const shown = document.querySelector('link[rel=icon]');
    if (shown.href !== icon) {
        shown.href = icon;
    }
}

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
