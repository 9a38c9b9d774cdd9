import time
from dataclasses import replace
import pytest
from globalconnect.store.dynamo import Dynamo
from tests.integration.failing import *
from tests.integration.rush import *
from tests.integration.shop import Shop
from tests.integration.conftest import *
from tests.integration.conftest import _emulator
from tests.conftest import _pretend_aws, _no_real_cloud

@pytest.mark.parametrize("mode", ["none","above","above-forgetful","below","below-forgetful"])
def test_r(busy_shop, mode):
    rush = Rush(1000, 30, 500)
    t=time.time()
    phones = rush.stock(busy_shop)
    print(mode, "stock", time.time()-t)
    faults = RandomFaults(0.2, 1)
    client = busy_shop.cloud.client
    rem = "forgetful" not in mode
    t=time.time()
    if mode == "none":
        replies = rush.buy(busy_shop)
    elif mode.startswith("above"):
        shop = Shop(replace(busy_shop.cloud, db=Dynamo(FailingClient(client, faults, remembers_tokens=rem))))
        replies = rush.buy(shop)
    else:
        with failing_below(client, faults, remembers_tokens=rem):
            replies = rush.buy(busy_shop)
    print(mode, "buy", time.time()-t, faults.made)
    w = wrongs(rush, phones, replies, busy_shop)
    print(w[:5], len(w), [r.body for r in replies if r.status!=200][:3])
    assert not w
