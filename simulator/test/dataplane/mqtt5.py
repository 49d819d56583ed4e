"""What Paho sees of MQTT 5 at a broker: mqtt5.py PORT prints, for each feature, what came of it."""

import json
import socket
import sys
import time
from queue import Empty, Queue

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

PORT = int(sys.argv[1])
WAIT = 5
QUIET = 0.4


def properties(kind, **values):
    made = Properties(getattr(PacketTypes, kind))
    for name, value in values.items():
        setattr(made, name, value)
    return made


class Client:
    """A client that is asked for what has come, in the order in which it came."""

    def __init__(self, client_id, start=True, will=None, connect=None, user=("u", "right")):
        self.messages, self.answers, self.ends = Queue(), Queue(), Queue()
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv5)
        self.paho.username_pw_set(*user)
        self.paho.on_connect = lambda c, u, f, code, props: self.answers.put((f.session_present, code.value, props))
        self.paho.on_disconnect = lambda c, u, f, code, props: self.ends.put(code.value)
        self.paho.on_message = lambda c, u, message: self.messages.put(message)
        for name in ("on_subscribe", "on_unsubscribe"):
            setattr(self.paho, name, lambda c, u, mid, codes, props: self.answers.put([code.value for code in codes]))
        self.paho.on_publish = lambda c, u, mid, code, props: self.answers.put(code.value)
        if will is not None:
            self.paho.will_set(**will)
        self.paho.connect("127.0.0.1", PORT, 60, clean_start=start, properties=connect)
        self.paho.loop_start()
        self.present, self.code, self.connack = self.answers.get(timeout=WAIT)

    def subscribe(self, topic, props=None, **options):
        self.paho.subscribe(topic, options=SubscribeOptions(**{"qos": 1, **options}), properties=props)
        return self.answers.get(timeout=WAIT)

    def unsubscribe(self, topic):
        self.paho.unsubscribe(topic)
        return self.answers.get(timeout=WAIT)

    def publish(self, topic, payload="x", qos=1, retain=False, **values):
        self.paho.publish(topic, payload, qos, retain, properties("PUBLISH", **values))
        return self.answers.get(timeout=WAIT)

    def message(self, wait=WAIT):
        try:
            return self.messages.get(timeout=wait)
        except Empty:
            return None

    def texts(self):
        """What comes until it is quiet."""
        return [message.payload.decode() for message in iter(lambda: self.message(QUIET), None)]

    def end(self, props=None):
        self.paho.disconnect(properties=props)
        self.ends.get(timeout=WAIT)
        self.paho.loop_stop()

    def cut(self):
        """Without a DISCONNECT, and for good."""
        self.paho._thread_terminate = True
        self.paho.socket().shutdown(socket.SHUT_RDWR)


lasting = dict(start=False, connect=properties("CONNECT", SessionExpiryInterval=60))


def topic_alias():
    listener, publisher = Client("alias-l"), Client("alias-p")
    listener.subscribe("alias")
    publisher.publish("alias", "named", TopicAlias=7)
    # Its publish() takes no empty topic.
    publisher.paho._send_publish(9, b"", b"by alias", 1, properties=properties("PUBLISH", TopicAlias=7))
    return [publisher.connack.TopicAliasMaximum > 0, listener.texts()]


def receive_maximum():
    listener = Client("receive-l", connect=properties("CONNECT", ReceiveMaximum=2))
    listener.paho.manual_ack_set(True)
    publisher = Client("receive-p")
    listener.subscribe("receive")
    for text in "abcd":
        publisher.publish("receive", text)
    return listener.texts()


def session_expiry():
    first = Client("lasting", **lasting)
    first.subscribe("lasting")
    first.end()
    Client("lasting-p").publish("lasting", "queued")
    second = Client("lasting", **lasting)
    found = [second.present, second.texts()]
    second.end(properties("DISCONNECT", SessionExpiryInterval=1))
    time.sleep(2.5)
    return [*found, Client("lasting", start=False).present]


def clean_start():
    first = Client("clean", **lasting)
    first.end()
    return Client("clean", start=True, connect=lasting["connect"]).present


def will_delay():
    listener = Client("will-l")
    listener.subscribe("will/#")
    for name in ("gone", "back"):
        props = properties("WILLMESSAGE", WillDelayInterval=1)
        will = dict(topic=f"will/{name}", payload=name, qos=1, properties=props)
        Client(name, will=will, **lasting).cut()
    early = listener.texts()
    Client("back", **lasting)
    time.sleep(1.5)
    return [early, listener.texts()]


def request_and_response():
    listener, publisher = Client("request-l"), Client("request-p")
    listener.subscribe("request")
    publisher.publish(
        "request",
        ResponseTopic="response",
        CorrelationData=b"correlated",
        ContentType="text/plain",
        PayloadFormatIndicator=1,
    )
    seen = listener.message().properties
    return [
        seen.ResponseTopic,
        seen.CorrelationData.decode(),
        seen.ContentType,
        seen.PayloadFormatIndicator,
    ]


def user_properties():
    client = Client("user")
    client.subscribe("user")
    sent = [("a", "1"), ("a", "2"), ("b", ""), ("ä", "ü" * 50)]
    client.publish("user", UserProperty=sent)
    return client.message().properties.UserProperty == sent


def order_of_user_properties():
    client = Client("order")
    client.subscribe("order")
    client.publish("order", UserProperty=[("a", "1"), ("b", "2"), ("a", "3")])
    return [name for name, _ in client.message().properties.UserProperty]


def subscription_identifier():
    listener = Client("identifier")
    listener.subscribe("identifier/+", props=properties("SUBSCRIBE", SubscriptionIdentifier=11))
    listener.publish("identifier/one")
    return listener.message().properties.SubscriptionIdentifier


def overlapping_identifiers():
    listener = Client("overlapping")
    listener.subscribe("over/+", props=properties("SUBSCRIBE", SubscriptionIdentifier=1))
    listener.subscribe("over/#", props=properties("SUBSCRIBE", SubscriptionIdentifier=2))
    listener.publish("over/one")
    return [len(message.properties.SubscriptionIdentifier) for message in iter(lambda: listener.message(QUIET), None)]


def shared_subscription():
    client = Client("shared")
    available = getattr(client.connack, "SharedSubscriptionAvailable", 1)
    return [available, client.subscribe("$share/group/shared")]


def no_local():
    client, other = Client("local"), Client("local-other")
    client.subscribe("local", noLocal=True)
    client.publish("local", "own")
    other.publish("local", "other's")
    return client.texts()


def retain_handling():
    publisher = Client("retain-p")
    publisher.publish("retain", "kept", retain=True)
    seen = {}
    for handling in (0, 1, 2):
        client = Client(f"retain-{handling}")
        client.subscribe("retain", retainHandling=handling)
        first = client.texts()
        client.subscribe("retain", retainHandling=handling)
        seen[handling] = [first, client.texts()]
    return seen


def retain_as_published():
    client = Client("published")
    client.subscribe("published/yes", retainAsPublished=True)
    client.subscribe("published/no")
    for topic in ("yes", "no"):
        client.publish(f"published/{topic}", retain=True)
    return {message.topic: message.retain for message in iter(lambda: client.message(QUIET), None)}


def message_expiry():
    first = Client("expiry", **lasting)
    first.subscribe("expiry")
    first.end()
    publisher = Client("expiry-p")
    publisher.publish("expiry", "short", MessageExpiryInterval=1)
    publisher.publish("expiry", "long", MessageExpiryInterval=60)
    time.sleep(2)
    second = Client("expiry", **lasting)
    messages = list(iter(lambda: second.message(QUIET), None))
    return [[m.payload.decode() for m in messages], messages[0].properties.MessageExpiryInterval < 60]


def maximum_packet_size():
    listener = Client("size-l", connect=properties("CONNECT", MaximumPacketSize=100))
    publisher = Client("size-p")
    listener.subscribe("size")
    publisher.publish("size", "y" * 200)
    publisher.publish("size", "small")
    return [publisher.connack.MaximumPacketSize, listener.texts()]


def request_problem_information():
    client = Client("problem", connect=properties("CONNECT", RequestProblemInformation=0))
    client.paho.on_subscribe = lambda c, u, mid, codes, props: client.answers.put(str(props))
    return client.subscribe("#")


def server_keep_alive():
    return hasattr(Client("keep-alive").connack, "ServerKeepAlive")


def assigned_client_identifier():
    return len(Client("").connack.AssignedClientIdentifier) > 0


def reason_codes():
    client = Client("codes")
    code = lambda password: Client("codes-refused", user=("u", password)).code
    return {
        "CONNACK bad password": code("wrong"),
        "SUBACK not authorized": client.subscribe("#"),
        "UNSUBACK no subscription": client.unsubscribe("codes/never"),
    }


def no_matching_subscribers():
    return Client("nobody").publish("codes/nobody")


FEATURES = [
    topic_alias,
    receive_maximum,
    session_expiry,
    clean_start,
    will_delay,
    request_and_response,
    user_properties,
    order_of_user_properties,
    subscription_identifier,
    overlapping_identifiers,
    shared_subscription,
    no_local,
    retain_handling,
    retain_as_published,
    message_expiry,
    maximum_packet_size,
    request_problem_information,
    server_keep_alive,
    assigned_client_identifier,
    reason_codes,
    no_matching_subscribers,
]

for feature in FEATURES:
    try:
        seen = feature()
    except Exception as error:  # the test tells which feature it was
        seen = f"{type(error).__name__}: {error}"
    print(json.dumps([feature.__name__.replace("_", " "), seen]), flush=True)
