"""A shop that uses python-alipay-sdk, a library made by others, against the served platforms.

Called with the platforms' address and their directory of keys. It ends with 0 and the word `done` if everything came as
the library wants it. This library puts every parameter into the query of a GET.
"""

import pathlib
import sys
import tomllib
import urllib.parse

from alipay import AliPay
from alipay.exceptions import AliPayException, AliPayValidationError
from desk import Desk, Door, certified, expect

BASE, KEYS = sys.argv[1], pathlib.Path(sys.argv[2])
APP = tomllib.loads((KEYS / "payments.toml").read_text())["alipay"]["apps"][0]["app_id"]


def library(key=f"alipay-{APP}-key.pem"):
    sdk = AliPay(
        appid=APP,
        app_private_key_string=(KEYS / key).read_text(),
        alipay_public_key_string=(KEYS / "alipay-platform-public.pem").read_text(),
    )
    sdk._gateway = f"{BASE}/gateway.do"
    return sdk


SDK = library()
DESK = Desk(BASE, "alipay", APP)


def told(answer, code, **expected):
    expect(answer["code"], code, f"the code of {answer}")
    for name, value in expected.items():
        expect(answer.get(name), value, name)
    return answer


def pay(number, yuan, payer="anybody", **more):
    code = DESK.code(payer)
    return SDK.api_alipay_trade_pay(number, "bar_code", code, "tea 茶", total_amount=yuan, timeout_express="5m", **more)


def sales():
    paid = told(pay("P1", "8.88"), "10000", total_amount="8.88")
    told(SDK.api_alipay_trade_query("P1"), "10000", trade_status="TRADE_SUCCESS", trade_no=paid["trade_no"])
    told(SDK.api_alipay_trade_query(trade_no=paid["trade_no"]), "10000", out_trade_no="P1")
    told(SDK.api_alipay_trade_query("P9"), "40004", sub_code="ACQ.TRADE_NOT_EXIST")
    told(pay("P1", "8.89"), "40004", sub_code="ACQ.CONTEXT_INCONSISTENT")
    told(pay("P1", "8.88"), "40004", sub_code="ACQ.TRADE_HAS_SUCCESS")
    told(pay("P2", 5.5), "10000", total_amount="5.50")


def waiting():
    told(pay("W1", "0.01", payer="idle"), "10003")
    told(SDK.api_alipay_trade_query("W1"), "10000", trade_status="WAIT_BUYER_PAY")
    DESK.act("pay", "W1")
    told(SDK.api_alipay_trade_query("W1"), "10000", trade_status="TRADE_SUCCESS")


def undoing():
    told(SDK.api_alipay_trade_cancel("P2"), "10000", action="refund", retry_flag="N")
    told(SDK.api_alipay_trade_query("P2"), "10000", trade_status="TRADE_CLOSED")
    told(SDK.api_alipay_trade_cancel("P9"), "10000", action=None, retry_flag="N")


def refunding():
    refund = SDK.api_alipay_trade_refund
    told(refund("0.88", out_trade_no="P1", out_request_no="R1"), "10000", fund_change="Y")
    told(refund("0.88", out_trade_no="P1", out_request_no="R1"), "10000", fund_change="N")
    told(refund("0.89", out_trade_no="P1", out_request_no="R1"), "40004", sub_code="ACQ.DISCORDANT_REPEAT_REQUEST")
    found = SDK.api_alipay_trade_fastpay_refund_query("R1", out_trade_no="P1")
    told(found, "10000", refund_status="REFUND_SUCCESS", refund_amount="0.88")


def scanning():
    door = Door([(200, b"OK"), (200, b"success")], certified(BASE, KEYS))
    made = SDK.api_alipay_trade_precreate("tea", "N1", "1.20", notify_url=door.url)
    assert told(made, "10000")["qr_code"].startswith("https://qr.alipay.com/"), made
    told(SDK.api_alipay_trade_query("N1"), "40004", sub_code="ACQ.TRADE_NOT_EXIST")
    DESK.act("scan", "N1", payer="anybody")
    DESK.act("pay", "N1")
    ids = set()
    for _ in range(2):
        _, body = door.next()
        fields = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        signature = fields.pop("sign")
        assert not SDK.verify({**fields, "total_amount": "9.99"}, signature), "the library takes a changed one"
        assert SDK.verify(dict(fields), signature), f"the library refuses the notification {fields}"
        expect((fields["out_trade_no"], fields["total_amount"]), ("N1", "1.20"), "the notification")
        expect(fields["trade_status"], "TRADE_SUCCESS", "trade_status")
        ids.add(fields["notify_id"])
    expect(len(ids), 1, "ids of one notification")
    door.quiet(0.5)
    told(SDK.api_alipay_trade_precreate("tea", "N2", "1.20"), "10000")
    DESK.act("scan", "N2", payer="anybody")
    told(SDK.api_alipay_trade_close("N2"), "10000", out_trade_no="N2")


def strangers():
    """What the platform says to a wrong key, and the library to a wrong signature."""
    try:
        library("alipay-platform-key.pem").api_alipay_trade_query("P1")
    except AliPayException as error:
        assert "isv.invalid-signature" in str(error), error
    else:
        raise AssertionError("a wrong key is taken")
    DESK.ask("plan", {"plan": "[[misbehave]]\ncall = 'query'\nwith = { does = 'wrong-signature' }"})
    try:
        SDK.api_alipay_trade_query("P1")
    except AliPayValidationError:
        return
    raise AssertionError("the library takes a wrong signature")


for part in (sales, waiting, undoing, refunding, scanning, strangers):
    part()
print("done")
