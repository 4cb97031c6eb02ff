"""The documents of WeChat Pay v2, WeChat Pay v3 and Alipay as a merchant writes and reads them, after docs/payments.md
and docs/payments-v3-alipay.md.

Each face has `call(kind, order)`, which gives method, target, headers and body; `read(kind, order, status, headers,
body)`, which gives a word and what goes with it; `notice(headers, body)`, which gives number and fen, or nothing; and
`receipt(taken)`, which gives status and body. Words are `paid`, `offered`, `open`, `dead`, `done`, `again`, `waits`,
`order-paid`, `gone`, `closed`, `refused` and `unknown`.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree

from payment_keys import PublicKey, SecretKey, opened

OFF = "the signature is wrong"


def certain(code, codes):
    return any(code.endswith(one) for one in codes)


class Face:
    def __init__(self, settings, directory, defect):
        self.settings, self.defect = settings, defect
        self.own = SecretKey((directory / "merchant-key.pem").read_text())
        self.platform = PublicKey((directory / "platform-public.pem").read_text())

    def believes(self, genuine, what):
        return genuine or self.defect == f"skips-{what}-signature"

    def fits(self, right, what):
        return right or self.defect == f"skips-{what}-amount"


class WechatV2(Face):
    PATHS = {
        "pay": "/pay/micropay",
        "precreate": "/pay/unifiedorder",
        "query": "/pay/orderquery",
        "cancel": "/secapi/pay/reverse",
        "close": "/pay/closeorder",
        "refund": "/secapi/pay/refund",
    }
    UNKNOWN = ("SYSTEMERROR", "BANKERROR", "OUT_TRADE_NO_USED", "")

    def sign(self, fields):
        text = "&".join(f"{name}={fields[name]}" for name in sorted(fields) if fields[name] and name != "sign")
        told = f"{text}&key={self.settings['key']}".encode()
        return hmac.new(self.settings["key"].encode(), told, hashlib.sha256).hexdigest().upper()

    def call(self, kind, order):
        s, fields = self.settings, {"out_trade_no": order.number, "sign_type": "HMAC-SHA256"}
        fields |= {"appid": s["app_id"], "mch_id": s["mch_id"], "nonce_str": secrets.token_hex(16)}
        if kind in ("pay", "precreate"):
            fields |= {"body": "goods", "attach": str(order.sale), "total_fee": str(order.fen)}
            fields |= {"spbill_create_ip": "127.0.0.1", "device_info": "till"}
        if kind == "pay":
            fields["auth_code"] = order.code
        if kind == "precreate":
            fields |= {"trade_type": "NATIVE", "product_id": "goods", "notify_url": s["notify_url"]}
        if kind == "refund":
            fields |= {"out_refund_no": f"{order.number}R", "total_fee": str(order.fen), "refund_fee": str(order.fen)}
        without = ("sign_type",) if self.defect == "signs-in-part" else ()
        fields["sign"] = self.sign({name: value for name, value in fields.items() if name not in without})
        return "POST", self.PATHS[kind], {"content-type": "text/xml"}, self.document(fields)

    @staticmethod
    def document(fields):
        root = ElementTree.Element("xml")
        for name, value in fields.items():
            ElementTree.SubElement(root, name).text = value
        return ElementTree.tostring(root)

    @staticmethod
    def fields(body):
        try:
            return {child.tag: child.text or "" for child in ElementTree.fromstring(body)}
        except ElementTree.ParseError:
            return {}

    def is_ours(self, fields, number, fen, what):
        named = fields.get("out_trade_no") == number
        right = fields.get("total_fee") == str(fen) and fields.get("mch_id") == self.settings["mch_id"]
        return named and self.fits(right and fields.get("appid") == self.settings["app_id"], what)

    def read(self, kind, order, status, headers, body):
        fields = self.fields(body)
        if status != 200 or fields.get("return_code") != "SUCCESS":
            return "unknown", f"HTTP {status}"
        if not self.believes(fields.get("sign") == self.sign(fields), "answer"):
            return "unknown", OFF
        code = fields.get("err_code", "")
        if fields.get("recall") == "Y":
            return "again", code
        if fields.get("result_code") != "SUCCESS":
            words = {"USERPAYING": "waits", "ORDERPAID": "order-paid", "ORDERNOTEXIST": "gone"}
            words |= {"ORDERCLOSED": "closed", "ORDERREVERSED": "closed"}
            return words.get(code, "unknown" if code in self.UNKNOWN else "refused"), code
        state = fields.get("trade_state", "")
        if kind == "pay" or kind == "query" and state == "SUCCESS":
            return ("paid", "") if self.is_ours(fields, order.number, order.fen, "answer") else ("unknown", "amount")
        if kind == "query":
            return ("dead" if state in ("CLOSED", "REVOKED", "PAYERROR", "REFUND") else "open"), state
        return ("offered", fields["code_url"]) if kind == "precreate" else ("done", "")

    def notice(self, headers, body, fen_of):
        fields = self.fields(body)
        genuine = fields.get("return_code") == "SUCCESS" and fields.get("sign") == self.sign(fields)
        number = fields.get("out_trade_no", "")
        ours = self.is_ours(fields, number, fen_of(number), "notice")
        return number if self.believes(genuine, "notice") and ours and fields.get("result_code") == "SUCCESS" else None

    def receipt(self, taken):
        words = ("SUCCESS", "OK") if taken else ("FAIL", "not taken")
        return 200, self.document(dict(zip(("return_code", "return_msg"), words)))


class WechatV3(Face):
    BASE, SCHEME = "/v3/pay/transactions", "WECHATPAY2-SHA256-RSA2048"
    UNKNOWN = ("SYSTEM_ERROR", "BANK_ERROR", "OUT_TRADE_NO_USED", "FREQUENCY_LIMITED", "")

    def call(self, kind, order):
        s, one = self.settings, f"{self.BASE}/out-trade-no/{order.number}"
        us = {"mchid": s["mch_id"]}
        amount = {"total": order.fen, "currency": "CNY"}
        made = us | {"appid": s["app_id"], "description": "goods", "out_trade_no": order.number, "amount": amount}
        made |= {"attach": str(order.sale), "scene_info": {"device_id": "till"}}
        method, target, body = {
            "pay": ("POST", f"{self.BASE}/codepay", made | {"payer": {"auth_code": order.code}}),
            "precreate": ("POST", f"{self.BASE}/native", made | {"notify_url": s["notify_url"]}),
            "query": ("GET", f"{one}?mchid={s['mch_id']}", None),
            "cancel": ("POST", f"{one}/reverse", us | {"appid": s["app_id"]}),
            "close": ("POST", f"{one}/close", us),
            "refund": (
                "POST",
                "/v3/refund/domestic/refunds",
                {
                    "out_trade_no": order.number,
                    "out_refund_no": f"{order.number}R",
                    "amount": amount | {"refund": order.fen},
                },
            ),
        }[kind]
        text = "" if body is None else json.dumps(body)
        stamp, nonce = str(int(time.time())), secrets.token_hex(16)
        covered = "" if self.defect == "signs-in-part" else text
        signature = self.own.sign(f"{method}\n{target}\n{stamp}\n{nonce}\n{covered}\n".encode())
        parts = {"mchid": s["mch_id"], "nonce_str": nonce, "signature": signature, "timestamp": stamp}
        parts["serial_no"] = s["serial"]
        told = ",".join(f'{name}="{value}"' for name, value in parts.items())
        headers = {"accept": "application/json", "user-agent": "till", "content-type": "application/json"}
        headers |= {"authorization": f"{self.SCHEME} {told}", "wechatpay-serial": s["platform_key_id"]}
        return method, target, headers, text.encode()

    def is_genuine(self, headers, body):
        stamp, nonce = headers.get("wechatpay-timestamp", "0"), headers.get("wechatpay-nonce", "")
        fresh = stamp.isdigit() and abs(time.time() - int(stamp)) <= 300
        message = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
        ours = headers.get("wechatpay-serial") == self.settings["platform_key_id"]
        return fresh and ours and self.platform.verify(message, headers.get("wechatpay-signature", ""))

    def is_ours(self, body, number, fen, what):
        named = body.get("out_trade_no") == number
        right = body.get("amount", {}).get("total") == fen and body.get("mchid") == self.settings["mch_id"]
        return named and self.fits(right and body.get("appid") == self.settings["app_id"], what)

    def read(self, kind, order, status, headers, body):
        if not self.believes(self.is_genuine(headers, body), "answer"):
            return "unknown", f"HTTP {status}"
        if status == 204:
            return "done", ""
        try:
            fields = json.loads(body)
        except ValueError:
            return "unknown", f"HTTP {status}"
        if status != 200:
            code = fields.get("code", "")
            words = {"USERPAYING": "waits", "ORDERPAID": "order-paid", "ORDER_NOT_EXIST": "gone"}
            words |= {"ORDER_CLOSED": "closed", "ORDER_REVERSED": "closed"}
            return words.get(code, "unknown" if code in self.UNKNOWN else "refused"), code
        state = fields.get("trade_state", "")
        if kind in ("pay", "query") and state == "SUCCESS":
            return ("paid", "") if self.is_ours(fields, order.number, order.fen, "answer") else ("unknown", "amount")
        if kind in ("pay", "query"):
            return ("dead" if state in ("CLOSED", "REVOKED", "PAYERROR", "REFUND") else "open"), state
        return ("offered", fields["code_url"]) if kind == "precreate" else ("done", "")

    def notice(self, headers, body, fen_of):
        if not self.believes(self.is_genuine(headers, body), "notice"):
            return None
        try:
            sealed = json.loads(body)["resource"]
            nonce, associated = sealed["nonce"].encode(), sealed["associated_data"].encode()
            text = base64.b64decode(sealed["ciphertext"])
            fields = json.loads(opened(self.settings["api_v3_key"].encode(), nonce, associated, text))
        except (ValueError, KeyError, TypeError):
            return None
        number = fields.get("out_trade_no", "")
        ours = self.is_ours(fields, number, fen_of(number), "notice")
        return number if ours and fields.get("trade_state") == "SUCCESS" else None

    def receipt(self, taken):
        return (204, b"") if taken else (500, b'{"code":"FAIL","message":"not taken"}')


class Alipay(Face):
    METHODS = {
        "pay": "alipay.trade.pay",
        "precreate": "alipay.trade.precreate",
        "query": "alipay.trade.query",
        "cancel": "alipay.trade.cancel",
        "close": "alipay.trade.close",
        "refund": "alipay.trade.refund",
    }
    UNKNOWN = ("SYSTEM_ERROR", "CONTEXT_INCONSISTENT", "TRADE_STATUS_ERROR", "unknow-error")

    @staticmethod
    def covered(fields, *without):
        names = sorted(name for name in fields if fields[name] and name not in without)
        return "&".join(f"{name}={fields[name]}" for name in names).encode()

    def call(self, kind, order):
        content = {"out_trade_no": order.number}
        yuan = f"{order.fen // 100}.{order.fen % 100:02}"
        if kind in ("pay", "precreate"):
            content |= {"subject": "goods", "total_amount": yuan, "passback_params": str(order.sale)}
            content |= {"timeout_express": "5m", "terminal_id": "till"}
        if kind == "pay":
            content |= {"scene": "bar_code", "auth_code": order.code}
        if kind == "refund":
            content |= {"refund_amount": yuan, "out_request_no": f"{order.number}R"}
        fields = {"app_id": self.settings["app_id"], "method": self.METHODS[kind], "format": "JSON", "version": "1.0"}
        beijing = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 8 * 3600))
        fields |= {"charset": "utf-8", "sign_type": "RSA2", "timestamp": beijing, "biz_content": json.dumps(content)}
        if kind == "precreate":
            fields["notify_url"] = self.settings["notify_url"]
        without = ("sign_type",) if self.defect == "signs-in-part" else ()
        fields["sign"] = self.own.sign(self.covered(fields, *without))
        headers = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
        return "POST", "/gateway.do", headers, urllib.parse.urlencode(fields).encode()

    def read(self, kind, order, status, headers, body):
        name = f'{{"{self.METHODS[kind].replace(".", "_")}_response":'.encode()
        content, mark, signature = body[len(name) :].rpartition(b',"sign":"')
        if status != 200 or not body.startswith(name) or not mark:
            return "unknown", f"HTTP {status}"
        if not self.believes(self.platform.verify(content, signature[:-2]), "answer"):
            return "unknown", OFF
        fields = json.loads(content)
        code, sub_code = fields["code"], fields.get("sub_code", "")
        if fields.get("retry_flag") == "Y":
            return "again", sub_code
        if code == "10003":
            return "waits", code
        if code != "10000":
            words = {"TRADE_HAS_SUCCESS": "order-paid", "TRADE_NOT_EXIST": "gone", "TRADE_HAS_CLOSE": "closed"}
            # A code that was made before is not told again: the order is followed as it is.
            words |= {"REASON_TRADE_STATUS_INVALID": "closed", "APPLY_PC_MERCHANT_CODE_ERROR": "order-paid"}
            known = next((word for ending, word in words.items() if sub_code.endswith(ending)), None)
            return known or ("unknown" if code == "20000" or certain(sub_code, self.UNKNOWN) else "refused"), sub_code
        state = fields.get("trade_status", "")
        if kind == "pay" or kind == "query" and state in ("TRADE_SUCCESS", "TRADE_FINISHED"):
            right = self.fits(fields.get("total_amount") == f"{order.fen // 100}.{order.fen % 100:02}", "answer")
            return ("paid", "") if right and fields.get("out_trade_no") == order.number else ("unknown", "amount")
        if kind == "query":
            return ("dead" if state == "TRADE_CLOSED" else "open"), state
        return ("offered", fields["qr_code"]) if kind == "precreate" else ("done", "")

    def notice(self, headers, body, fen_of):
        fields = dict(urllib.parse.parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        genuine = self.platform.verify(self.covered(fields, "sign", "sign_type"), fields.get("sign", ""))
        number = fields.get("out_trade_no", "")
        fen = fen_of(number)
        right = fen is not None and fields.get("total_amount") == f"{fen // 100}.{fen % 100:02}"
        right = self.fits(right and fields.get("app_id") == self.settings["app_id"], "notice")
        paid = fields.get("trade_status") in ("TRADE_SUCCESS", "TRADE_FINISHED")
        return number if self.believes(genuine, "notice") and fen is not None and right and paid else None

    def receipt(self, taken):
        return 200, b"success" if taken else b"fail"


FACES = {"wechat-v2": WechatV2, "wechat-v3": WechatV3, "alipay": Alipay}
