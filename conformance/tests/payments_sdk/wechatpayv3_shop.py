"""A shop that uses wechatpayv3, a library made by others, against the served platforms.

Called with the platforms' address, their directory of keys, and `certificate` or `public-key`: how the library verifies
what the platform signs. It ends with 0 and the word `done` if everything came as the library wants it.
"""

import json
import pathlib
import sys
import tomllib

from desk import Desk, Door, certified, expect, until
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.core import Core
from wechatpayv3.utils import load_private_key

BASE, KEYS, MODE = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
SETTINGS = tomllib.loads((KEYS / "payments.toml").read_text())["wechat_v3"]
MERCHANT = SETTINGS["merchants"][0]

# The library has the platform's address as a constant that it sets while it is made: this one stands.
Core._gate_way = property(lambda self: BASE, lambda self, value: None)


def library(**more):
    mchid = MERCHANT["mchid"]
    if MODE == "public-key":
        more["public_key"] = (KEYS / "wechat-v3-public-mode-public.pem").read_text()
        more["public_key_id"] = SETTINGS["public_key_id"]
    made = {
        "wechatpay_type": WeChatPayType.NATIVE,
        "mchid": mchid,
        "private_key": (KEYS / f"wechat-v3-{mchid}-key.pem").read_text(),
        "cert_serial_no": MERCHANT["serial"],
        "appid": MERCHANT["app_ids"][0],
        "apiv3_key": MERCHANT["api_v3_key"],
        "timeout": (5, 20),
    }
    return WeChatPay(**{**made, **more})


SDK = library()
DESK = Desk(BASE, "wechat", MERCHANT["mchid"])
RUN = MODE[:3]


def told(answer, status, **expected):
    code, text = answer
    expect(code, status, f"the status of {text}")
    body = json.loads(text) if text else {}
    for name, value in expected.items():
        expect(body.get(name), value, name)
    return body


def code_pay(number, fen, payer="anybody", sdk=None):
    return (sdk or SDK).pay(
        description="tea & 茶",
        out_trade_no=number,
        amount={"total": fen, "currency": "CNY"},
        payer={"auth_code": DESK.code(payer)},
        scene_info={"device_id": "till-3"},
        pay_type=WeChatPayType.CODEPAY,
    )


def sales():
    paid = told(code_pay(f"{RUN}-1", 888), 200, trade_state="SUCCESS", trade_type="MICROPAY")
    told(SDK.query(out_trade_no=f"{RUN}-1"), 200, transaction_id=paid["transaction_id"])
    told(SDK.query(transaction_id=paid["transaction_id"]), 200, out_trade_no=f"{RUN}-1")
    told(SDK.query(out_trade_no=f"{RUN}-none"), 404, code="ORDER_NOT_EXIST")
    told(code_pay(f"{RUN}-1", 889), 403, code="OUT_TRADE_NO_USED")
    told(code_pay(f"{RUN}-poor", 5, payer="poor"), 403, code="NOT_ENOUGH")


def waiting():
    told(code_pay(f"{RUN}-2", 5, payer="idle"), 400, code="USERPAYING")
    told(SDK.query(out_trade_no=f"{RUN}-2"), 200, trade_state="USERPAYING")
    DESK.act("pay", f"{RUN}-2")
    told(SDK.query(out_trade_no=f"{RUN}-2"), 200, trade_state="SUCCESS")


def undoing():
    told(code_pay(f"{RUN}-3", 300), 200, trade_state="SUCCESS")
    told(SDK.codepay_reverse(f"{RUN}-3"), 200, out_trade_no=f"{RUN}-3")
    told(SDK.query(out_trade_no=f"{RUN}-3"), 200, trade_state="REVOKED")


def refunding():
    amount = {"refund": 88, "total": 888, "currency": "CNY"}
    told(SDK.refund(f"{RUN}-r1", amount, out_trade_no=f"{RUN}-1", reason="half a cup"), 200, out_refund_no=f"{RUN}-r1")
    until(lambda: json.loads(SDK.query_refund(f"{RUN}-r1")[1]), lambda body: body["status"] == "SUCCESS")
    told(SDK.query(out_trade_no=f"{RUN}-1"), 200, trade_state="REFUND")
    too_much = {"refund": 801, "total": 888, "currency": "CNY"}
    told(SDK.refund(f"{RUN}-r2", too_much, out_trade_no=f"{RUN}-1"), 400, code="INVALID_REQUEST")


def scanning():
    door = Door([(500, b'{"code":"FAIL","message":"later"}'), (204, b"")], certified(BASE, KEYS))
    made = told(SDK.pay("tea", f"{RUN}-4", {"total": 120}, notify_url=door.url), 200)
    assert made["code_url"].startswith("weixin://wxpay/bizpayurl"), made
    told(SDK.query(out_trade_no=f"{RUN}-4"), 200, trade_state="NOTPAY")
    DESK.act("scan", f"{RUN}-4", payer="anybody")
    DESK.act("pay", f"{RUN}-4")
    ids = set()
    for _ in range(2):
        headers, body = door.next()
        opened = SDK.callback(headers, body)
        assert opened, "the library refuses the notification"
        expect(opened["event_type"], "TRANSACTION.SUCCESS", "event_type")
        expect(opened["resource"]["out_trade_no"], f"{RUN}-4", "out_trade_no")
        expect(opened["resource"]["amount"]["total"], 120, "total")
        assert not SDK.callback(headers, body.replace(b"SUCCESS", b"FAILURE")), "the library takes a changed one"
        ids.add(opened["id"])
    expect(len(ids), 1, "ids of one notification")
    door.quiet(0.5)
    told(SDK.pay("tea", f"{RUN}-5", {"total": 120}, notify_url=door.url), 200)
    told(SDK.close(f"{RUN}-5"), 204)
    told(SDK.query(out_trade_no=f"{RUN}-5"), 200, trade_state="CLOSED")


def strangers():
    """What the platform says to a wrong key, and the library to a wrong signature."""
    other = library()
    other._core._private_key = load_private_key((KEYS / "alipay-platform-key.pem").read_text())
    told(other.query(out_trade_no=f"{RUN}-1"), 401, code="SIGN_ERROR")
    DESK.ask("plan", {"plan": "[[misbehave]]\ncall = 'query'\nwith = { does = 'wrong-signature' }"})
    try:
        SDK.query(out_trade_no=f"{RUN}-1")
    except Exception as error:
        assert "verify the signature" in str(error), error
    else:
        raise AssertionError("the library takes a wrong signature")


if MODE == "certificate":
    assert SDK._core._certificates, "the library has fetched no certificate"
for part in (sales, waiting, undoing, refunding, scanning, strangers):
    part()
print("done")
