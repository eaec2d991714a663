// Looks at the page in Chromium: node page.js CHROMIUM URL.  A line "ok NAME" or
// "not ok NAME" for each thing that it finds; after "stop" and "start" it waits
// for a line, while nginx is stopped and started.

'use strict';

const {chromium} = require('playwright-core');
const axe = require.resolve('axe-core/axe.min.js');
const fs = require('fs');
const readline = require('readline');

const [, , executablePath, url] = process.argv;
const lines = readline.createInterface({input: process.stdin});
const input = lines[Symbol.asyncIterator]();

function ok(passed, name, detail) {
    console.log((passed ? 'ok ' : 'not ok ') + name);
    if (!passed && detail !== undefined) {
        console.log('# ' + JSON.stringify(detail));
    }
}

async function ask(what) {
    console.log(what);
    await input.next();
}

// the page has been looked at once more
async function refreshed(page) {
    const time = await page.getAttribute('main', 'data-time');
    await page.waitForFunction(
        time => document.querySelector('main').dataset.time !== time, time,
        {timeout: 10000});
}

async function rules(page, name) {
    await page.evaluate(fs.readFileSync(axe, 'utf8'));
    const found = await page.evaluate(async () => (await axe.run()).violations
        .map(v => [v.id, v.nodes.map(n => n.target)]));
    ok(found.length === 0, name + ': axe finds nothing', found);
}

async function places(browser, where, name) {
    for (const colorScheme of ['light', 'dark']) {
        const context = await browser.newContext({
            colorScheme, bypassCSP: true, viewport: {width: 1200, height: 800}
        });
        const page = await context.newPage();
        await page.goto(where);
        for (const fold of await page.$$('summary')) {
            await fold.evaluate(node => { node.parentNode.open = true; });
        }
        await rules(page, name + ', ' + colorScheme);
        await context.close();
    }

    for (const javaScriptEnabled of [true, false]) {
        const context = await browser.newContext({
            javaScriptEnabled, viewport: {width: 375, height: 700}
        });
        const page = await context.newPage();
        await page.goto(where);
        const wide = await page.evaluate(
            () => document.documentElement.scrollWidth);
        ok(wide === 375, name + ', 375 px: nothing beside the screen, script '
            + (javaScriptEnabled ? 'on' : 'off'), wide);
        await context.close();
    }
}

// a long day in a tab, each refresh as fast as it can be; 8 hours are 14400
async function day(context, page) {
    const n = +process.env.TEST_PAGE_REFRESHES || 300;
    const session = await context.newCDPSession(page);
    await session.send('Performance.enable');

    async function measure() {
        await session.send('HeapProfiler.collectGarbage');
        const {metrics} = await session.send('Performance.getMetrics');
        const get = name => metrics.find(m => m.name === name).value;
        return [get('Nodes'), get('JSEventListeners'), get('JSHeapUsedSize')];
    }

    const refresh = n => page.evaluate(async n => {
        const answer = await (await fetch(location.href)).text();
        for (let i = 0; i < n; i++) {
            replace(new DOMParser().parseFromString(answer, 'text/html'));
            if (i % 100 === 0) {
                await new Promise(done => setTimeout(done));
            }
        }
    }, n);

    await refresh(50);
    const before = await measure();
    await refresh(n);

    // the last document that was parsed may be waiting to be collected
    let after = await measure();
    for (let i = 0; i < 30 && after[0] > before[0]; i++) {
        await page.waitForTimeout(100);
        after = await measure();
    }
    ok(after[0] < before[0] + n / 2 && after[1] <= before[1] + 10
       && after[2] < before[2] + 1e6,
       n + ' refreshes without growth', [before, after]);
    if (process.env.TEST_PAGE_REFRESHES) {
        console.log('# nodes, listeners, bytes: ' + before + '; ' + after);
    }
}

// a place in the page, its script and what a reader does with it
async function reader(browser) {
    const context = await browser.newContext({
        viewport: {width: 1000, height: 500}
    });
    const page = await context.newPage();
    const said = [];
    page.on('console', message => said.push(message.text()));
    page.on('pageerror', error => said.push(String(error)));

    await page.goto(url);
    await page.waitForSelector('#errors-hour', {timeout: 30000}).catch(
        () => {});
    await page.reload();

    await page.click('#figures > summary');
    await page.click('#times1 > summary');
    await page.focus('#journal > summary');
    await page.evaluate(() => scrollTo(0, 333));
    await page.evaluate(() => {
        const text = document.querySelector('h1').firstChild;
        getSelection().setBaseAndExtent(text, 1, text, 5);
    });
    await refreshed(page);
    await refreshed(page);
    const kept = await page.evaluate(() => [
        document.querySelector('#figures').open,
        document.querySelector('#times1').open,
        document.querySelector('#journal').open,
        document.activeElement.parentNode.id,
        scrollY,
        String(getSelection())
    ]);
    ok(JSON.stringify(kept)
       === JSON.stringify([true, false, false, 'journal', 333, 'ocum']),
       'two refreshes keep folds, focus, scroll and selection', kept);

    await page.focus('#errors-hour');
    await page.keyboard.press('ArrowLeft');
    const points = (await page.getAttribute('#errors-hour', 'data-points'))
        .split('\n');
    const left = points[Math.max(points.length - 2, 0)];
    const text = await page.textContent('#errors-hour .at');
    ok(text.startsWith(left.split(/[ |]/)[1]),
       'an arrow key leads to the point before', [text, left]);
    await page.hover('#errors-hour svg.plot', {position: {x: 1, y: 60}});
    ok((await page.textContent('#errors-hour .at'))
       .startsWith(points[0].split(/[ |]/)[1]),
       'the pointer leads to the point below it');
    ok(await page.$eval('#errors-hour .cursor', line => line.hasAttribute('x1')),
       'which a line marks');
    await page.mouse.move(0, 0);

    // hidden: nothing is fetched
    let fetched = 0;
    page.on('request', () => { fetched++; });
    await page.evaluate(() => Object.defineProperty(document, 'hidden',
        {value: true, configurable: true}));
    await page.waitForTimeout(2200);
    fetched = 0;
    await page.waitForTimeout(2200);
    ok(fetched === 0, 'a hidden tab fetches nothing', fetched);
    await page.evaluate(() => Object.defineProperty(document, 'hidden',
        {value: false, configurable: true}));

    ok(said.length === 0, 'nothing on the console, no policy violated', said);

    await ask('stop');
    await page.waitForFunction(
        () => /No answer from nginx/.test(
            document.getElementById('lost').textContent),
        null, {timeout: 15000});
    ok(true, 'a lost nginx shows');
    await ask('start');
    await page.waitForFunction(
        () => document.getElementById('lost').textContent === '', null,
        {timeout: 15000});
    ok(true, 'and its return');

    await day(context, page);
    await context.close();
}

(async () => {
    const browser = await chromium.launch({
        executablePath, args: ['--no-sandbox', '--disable-gpu']
    });
    await places(browser, url, 'a split');
    await reader(browser);
    await places(browser, url.replace(/\?.*/, ''), 'the overview');
    await browser.close();
    lines.close();
})().catch(error => {
    console.log('not ok ' + error);
    process.exit(1);
});
