// A shop that uses alipay-sdk, the platform's own library for Node.js, against the served platforms.
//
// Called with the platforms' address, their directory of keys, and the directory of the library. It ends with 0 and the
// word `done` if everything came as the library wants it. This library puts the common parameters into the query of a
// POST, and the content into its body.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import path from 'node:path';

const [base, keys, modules] = process.argv.slice(2);
const { AlipaySdk } = createRequire(path.join(modules, 'index.js'))('alipay-sdk');
const appId = fs.readFileSync(path.join(keys, 'payments.toml'), 'utf8').match(/app_id = "(\d+)"/)[1];
const key = (name) => fs.readFileSync(path.join(keys, name), 'utf8');
const library = (privateKey) => new AlipaySdk({
  appId,
  privateKey,
  keyType: 'PKCS8',
  alipayPublicKey: key('alipay-platform-public.pem'),
  gateway: `${base}/gateway.do`,
  camelcase: false,
});
const sdk = library(key(`alipay-${appId}-key.pem`));

async function desk(what, body) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${base}/assay/api/${what}`, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}
const act = (act, order, more) => desk('act', { act, house: 'alipay', merchant: appId, order, ...more });

async function ask(method, bizContent, expected, more) {
  const answer = await sdk.exec(method, { bizContent, ...more }, { validateSign: true });
  for (const [name, value] of Object.entries(expected)) assert.equal(answer[name], value, `${name} of ${method}`);
  return answer;
}

async function pay(number, yuan, payer, expected) {
  const { code } = await desk('codes', { house: 'alipay', payer });
  const content = { out_trade_no: number, scene: 'bar_code', auth_code: code, subject: 'tea 茶', total_amount: yuan };
  return ask('alipay.trade.pay', content, expected);
}

const paid = await pay('P1', '8.88', 'anybody', { code: '10000', total_amount: '8.88' });
const state = { code: '10000', trade_status: 'TRADE_SUCCESS', trade_no: paid.trade_no };
await ask('alipay.trade.query', { out_trade_no: 'P1' }, state);
await ask('alipay.trade.query', { out_trade_no: 'P9' }, { code: '40004', sub_code: 'ACQ.TRADE_NOT_EXIST' });
await pay('W1', '0.01', 'idle', { code: '10003' });
await ask('alipay.trade.cancel', { out_trade_no: 'W1' }, { code: '10000', action: 'close', retry_flag: 'N' });
await pay('W2', '0.02', 'idle', { code: '10003' });
await ask('alipay.trade.close', { out_trade_no: 'W2' }, { code: '10000', out_trade_no: 'W2' });
const refund = { out_trade_no: 'P1', refund_amount: '0.88', out_request_no: 'R1' };
await ask('alipay.trade.refund', refund, { code: '10000', fund_change: 'Y', refund_fee: '0.88' });
const asked = { out_trade_no: 'P1', out_request_no: 'R1' };
await ask('alipay.trade.fastpay.refund.query', asked, { code: '10000', refund_status: 'REFUND_SUCCESS' });

const came = [];
let tell;
const secured = base.startsWith('https:');
const certified = secured ? { cert: key('shop.pem'), key: key('shop-key.pem') } : {};
const door = (secured ? https : http).createServer(certified, (request, response) => {
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', () => {
    came.push(body);
    response.end('success');
    tell();
  });
});
await new Promise((listening) => door.listen(0, '127.0.0.1', listening));
const first = new Promise((told) => { tell = told; });
const notifyUrl = `${secured ? 'https' : 'http'}://127.0.0.1:${door.address().port}/paid`;
const order = { out_trade_no: 'N1', total_amount: '1.20', subject: 'tea 茶' };
const made = await ask('alipay.trade.precreate', order, { code: '10000' }, { notifyUrl });
assert.match(made.qr_code, /^https:\/\/qr\.alipay\.com\//);
await act('scan', 'N1', { payer: 'anybody' });
await act('pay', 'N1');
await first;
const fields = Object.fromEntries(new URLSearchParams(came[0]));
assert.equal(fields.out_trade_no, 'N1');
assert.ok(sdk.checkNotifySignV2(fields), `the library refuses the notification ${came[0]}`);
assert.ok(!sdk.checkNotifySignV2({ ...fields, total_amount: '9.99' }), 'the library takes a changed one');

await desk('plan', { plan: "[[misbehave]]\ncall = 'query'\nwith = { does = 'wrong-signature' }" });
await assert.rejects(ask('alipay.trade.query', { out_trade_no: 'P1' }, {}), /验签失败/);
door.close();
console.log('done');
process.exit(0);
