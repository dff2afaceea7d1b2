"""Who may talk to whom by the network policies of a namespace, as a network plugin reads them."""


def selects(selector, labels):
    """Whether a selector, which may be empty, means what has these labels."""
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    expressions = selector.get("matchExpressions", [])
    assert all(expression["operator"] == "In" for expression in expressions), "only In is understood here"
    return all(labels.get(expression["key"]) in expression["values"] for expression in expressions)


def policies(documents, direction, labels, namespace="terroir"):
    """Those that have a say in what pods with these labels take (Ingress) or send (Egress)."""
    return [document["spec"] for document in documents
            if document["kind"] == "NetworkPolicy" and document["metadata"]["namespace"] == namespace
            and direction in document["spec"]["policyTypes"] and selects(document["spec"]["podSelector"], labels)]


def means(peer, other):
    """Whether one side of a rule means the other side of a connection: labels of a pod in the namespace, another
    namespace by its name, or None for what is beyond the cluster."""
    if other is None:
        return peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"
    if isinstance(other, str):
        return selects(peer.get("namespaceSelector", {"matchLabels": {"": ""}}), {"kubernetes.io/metadata.name": other}) and "podSelector" not in peer
    return "podSelector" in peer and "namespaceSelector" not in peer and selects(peer["podSelector"], other)


def allows(documents, direction, labels, other, port):
    """Whether pods with these labels may take from, or send to, the other at a TCP port. Where no policy has a say, they may."""
    side, specs = ("from", "ingress") if direction == "Ingress" else ("to", "egress"), policies(documents, direction, labels)
    rules = [rule for spec in specs for rule in spec.get(side[1], [])]
    return not specs or any((side[0] not in rule or any(means(peer, other) for peer in rule[side[0]]))
                            and any(each["protocol"] == "TCP" and each["port"] == port for each in rule["ports"]) for rule in rules)


def refused(documents):
    """What pods may send to others of their namespace, and those may not take."""
    found = []
    for document in documents:
        if document["kind"] != "NetworkPolicy" or document["metadata"]["namespace"] != "terroir":
            continue
        source = document["spec"]["podSelector"].get("matchLabels", {})
        for rule in document["spec"].get("egress", []):
            targets = [peer["podSelector"]["matchLabels"] for peer in rule.get("to", []) if "podSelector" in peer and "namespaceSelector" not in peer]
            found += [f"{target} does not let {source} in at {each['port']}" for target in targets for each in rule["ports"]
                      if not allows(documents, "Ingress", target, source, each["port"])]
    return found
