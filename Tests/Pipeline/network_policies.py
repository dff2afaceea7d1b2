"""The connections that a namespace's network policies allow, evaluated as a network plugin does."""


def selects(selector, labels):
    """Whether a selector, which may be empty, selects these labels."""
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    expressions = selector.get("matchExpressions", [])
    assert all(expression["operator"] == "In" for expression in expressions), "only In is understood here"
    return all(labels.get(expression["key"]) in expression["values"] for expression in expressions)


def policies(documents, direction, labels, namespace="terroir"):
    """The policies that apply to what pods with these labels receive (Ingress) or send (Egress)."""
    return [document["spec"] for document in documents
            if document["kind"] == "NetworkPolicy" and document["metadata"]["namespace"] == namespace
            and direction in document["spec"]["policyTypes"] and selects(document["spec"]["podSelector"], labels)]


def means(peer, other):
    """Whether a side of a rule matches the other side of a connection: the labels of a pod in the namespace, another
    namespace by its name, or None for outside the cluster."""
    if other is None:
        return peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"
    if isinstance(other, str):
        return selects(peer.get("namespaceSelector", {"matchLabels": {"": ""}}), {"kubernetes.io/metadata.name": other}) and "podSelector" not in peer
    return "podSelector" in peer and "namespaceSelector" not in peer and selects(peer["podSelector"], other)


def allows(documents, direction, labels, other, port):
    """Whether pods with these labels may receive from, or send to, the other side at a TCP port; if no policy applies,
    yes."""
    side, specs = ("from", "ingress") if direction == "Ingress" else ("to", "egress"), policies(documents, direction, labels)
    rules = [rule for spec in specs for rule in spec.get(side[1], [])]
    return not specs or any((side[0] not in rule or any(means(peer, other) for peer in rule[side[0]]))
                            and any(each["protocol"] == "TCP" and each["port"] == port for each in rule["ports"]) for rule in rules)


def refused(documents):
    """The connections from pods that egress rules allow to others of the namespace, but ingress rules do not."""
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
