// pictures.js CHROMIUM FOLDER STATE ...: FOLDER/STATE.html as PNG files

'use strict';

const {chromium} = require('playwright-core');

const [, , executablePath, folder, ...states] = process.argv;

const kinds = {
    light: {colorScheme: 'light', viewport: {width: 1000, height: 800}},
    dark: {colorScheme: 'dark', viewport: {width: 1000, height: 800}},
    narrow: {colorScheme: 'light', viewport: {width: 375, height: 700}},
    bare: {javaScriptEnabled: false, viewport: {width: 1000, height: 800}}
};

(async () => {
    const browser = await chromium.launch({
        executablePath, args: ['--no-sandbox', '--disable-gpu']
    });
    for (const [kind, options] of Object.entries(kinds)) {
        const context = await browser.newContext(options);
        const page = await context.newPage();
        for (const state of states) {
            await page.goto(`file://${folder}/${state}.html`);
            await page.screenshot({
                path: `${folder}/${state}-${kind}.png`, fullPage: true
            });
        }
        await context.close();
    }
    await browser.close();
})();
