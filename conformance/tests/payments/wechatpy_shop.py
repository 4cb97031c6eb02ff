"""A shop that uses wechatpy, a library made by others, against the served platforms.

Called with the platforms' address, the merchant's numbers and key, and for TLS the authority's certificate and the
merchant's own. It ends with 0 and the word `done` if everything came as the library wants it.
"""

import argparse
import http.server
import json
import queue
import ssl
import threading
import time
import urllib.request

from wechatpy.exceptions import WeChatPayException
from wechatpy.pay import WeChatPay

TAKEN = b"<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>"
PATIENCE_S = 20


class Shop:
    def __init__(self, args):
        self.args = args
        self.codes = 0
        self.sdk = self.library(args.key, args.cert, args.cert_key)

    def library(self, key, cert=None, cert_key=None):
        class Platforms(WeChatPay):
            API_BASE_URL = self.args.base + "/"

        sdk = Platforms(self.args.app, key, self.args.mch, mch_cert=cert, mch_key=cert_key, timeout=PATIENCE_S)
        # What the environment says of proxies and authorities is for other hosts.
        sdk._http.trust_env = False
        if self.args.ca:
            sdk._http.verify = self.args.ca
        return sdk

    def desk(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{self.args.desk}/assay/api/{path}", data, headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def act(self, act, number, **more):
        what = {"act": act, "house": "wechat", "merchant": self.args.mch, "order": number, **more}
        return self.desk("act", what)

    def pay(self, number, fen, payer="anybody", sdk=None):
        code = self.desk("codes", {"house": "wechat", "payer": payer})["code"]
        sdk = sdk or self.sdk
        return sdk.micropay.create("tea & 茶", fen, code, client_ip="127.0.0.1", out_trade_no=number)

    def good(self, answer, **expected):
        assert self.sdk.check_signature(dict(answer)), f"the library refuses the signature of {answer}"
        for name, value in expected.items():
            assert answer.get(name) == value, f"{name}: {answer.get(name)!r} in place of {value!r}"
        return answer

    def refused(self, call, code):
        try:
            answer = call()
        except WeChatPayException as error:
            assert error.errcode == code, f"{error.errcode!r} in place of {code!r}: {error.errmsg}"
            return error
        raise AssertionError(f"no {code}, but {answer}")

    def until(self, state, number):
        end = time.monotonic() + PATIENCE_S
        while True:
            answer = self.sdk.order.query(out_trade_no=number)
            if answer["trade_state"] == state:
                return self.good(answer, out_trade_no=number)
            assert time.monotonic() < end, f"{number} stays {answer['trade_state']}"
            time.sleep(0.3)


def sales(shop, run):
    paid = shop.good(shop.pay(f"{run}-1", 888), total_fee="888", trade_type="MICROPAY", result_code="SUCCESS")
    shop.until("SUCCESS", f"{run}-1")
    shop.good(shop.sdk.order.query(transaction_id=paid["transaction_id"]), out_trade_no=f"{run}-1")
    shop.refused(lambda: shop.pay(f"{run}-1", 888), "ORDERPAID")
    shop.refused(lambda: shop.pay(f"{run}-1", 887), "OUT_TRADE_NO_USED")
    shop.refused(lambda: shop.pay(f"{run}-poor", 888, "poor"), "NOTENOUGH")
    shop.refused(lambda: shop.pay(f"{run}-slow", 888, "slow"), "USERPAYING")
    shop.until("SUCCESS", f"{run}-slow")
    shop.refused(lambda: shop.sdk.order.query(out_trade_no="none"), "ORDERNOTEXIST")
    shop.refused(lambda: shop.pay(f"{run}-forged", 1, sdk=shop.library("not the key")), "SIGNERROR")


def undone(shop, run):
    shop.good(shop.sdk.order.reverse(out_trade_no=f"{run}-slow"), recall="N")
    shop.until("REVOKED", f"{run}-slow")
    apply = lambda fen: shop.sdk.refund.apply(888, fen, f"{run}-r1", out_trade_no=f"{run}-1")
    first = shop.good(apply(300), refund_fee="300")
    shop.good(apply(300), refund_id=first["refund_id"])
    shop.refused(lambda: apply(301), "REFUND_FEE_MISMATCH")
    shop.good(shop.sdk.refund.query(out_trade_no=f"{run}-1"), refund_count="1", refund_fee_0="300")
    shop.until("REFUND", f"{run}-1")


def notified(shop, run):
    came, answers = queue.Queue(), [b"success", TAKEN]

    class Paid(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            came.put(self.rfile.read(int(self.headers["content-length"])))
            answer = answers.pop(0)
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    listener = http.server.HTTPServer(("127.0.0.1", 0), Paid)
    if shop.args.shop:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(shop.args.shop, shop.args.shop_key)
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    scheme = "https" if shop.args.shop else "http"
    url = f"{scheme}://127.0.0.1:{listener.server_port}/paid"
    number = f"{run}-native"
    made = shop.sdk.order.create("NATIVE", "tea", 250, url, "127.0.0.1", out_trade_no=number, product_id="12")
    assert shop.good(made)["code_url"].startswith("weixin://wxpay/bizpayurl?pr=")
    shop.until("NOTPAY", number)
    shop.act("scan", number, payer="anybody")
    shop.act("pay", number)
    # The first answer is not the exact success, so the platform tells once more.
    for _ in range(2):
        told = shop.sdk.parse_payment_result(came.get(timeout=PATIENCE_S))
        assert (told["out_trade_no"], told["total_fee"], told["openid"]) == (number, 250, "anybody"), told
    listener.shutdown()
    try:
        forged = shop.library("not the key")
        forged.parse_payment_result("<xml><out_trade_no>1</out_trade_no><sign>0</sign></xml>")
    except Exception as error:
        assert type(error).__name__ == "InvalidSignatureException", error
    else:
        raise AssertionError("the library takes any signature")
    state = shop.desk("state")
    notice = next(one for one in state["notices"] if one["order"] == number)
    assert notice["tries"] == 2, notice
    kinds = [finding["what"] for finding in state["findings"] if finding["order"] == number]
    assert "answer-not-exact" in kinds, kinds


def closed(shop, run):
    number = f"{run}-closed"
    shop.sdk.order.create("NATIVE", "tea", 1, "http://127.0.0.1:9/", "127.0.0.1", out_trade_no=number, product_id="1")
    shop.good(shop.sdk.order.close(number))
    shop.until("CLOSED", number)
    shop.refused(lambda: shop.sdk.order.close(number), "ORDERCLOSED")


def main():
    parser = argparse.ArgumentParser()
    for name in ("base", "desk", "app", "mch", "key"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("ca", "cert", "cert-key", "shop", "shop-key"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--run", required=True, help="the beginning of the orders' numbers")
    args = parser.parse_args()
    shop = Shop(args)
    for part in (sales, undone, notified, closed):
        part(shop, args.run)
    if args.cert:
        shop.sdk = shop.library(args.key)
        try:
            shop.sdk.order.reverse(out_trade_no=f"{args.run}-1")
        except WeChatPayException as error:
            assert error.response.status_code == 400, error.response.status_code
        else:
            raise AssertionError("money went back without a certificate")
    print("done")


main()
