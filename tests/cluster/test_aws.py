"""`cluster/aws.yaml` through Ray's AWS provider to a mock EC2: what each node really asks for.

The mock is moto (`pip install 'moto[ec2,iam,cloudformation]' boto3`); nothing leaves the machine.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_files import FOLDER, filled, launch, load, prepared

boto3 = pytest.importorskip("boto3", reason="boto3 is not installed: pip install boto3")
moto = pytest.importorskip(
    "moto", reason="moto is not installed: pip install 'moto[ec2,iam,cloudformation]'"
)
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning")]
REGION = "us-west-2"
STACK = (FOLDER / "accounts/aws.yaml").read_text()
OURS = "203.0.113.5/32"


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An account with the stack of `cluster/accounts/aws.yaml`; the group that it tells."""
    from ray.autoscaler._private.aws import utils

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "mock")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("HOME", str(tmp_path))  # Ray leaves its key there.
    with moto.mock_aws():
        utils.resource_cache.cache_clear()
        vpc = boto3.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
        stacks = boto3.client("cloudformation")
        given = {"Bucket": "poses-and-runs", "Address": OURS, "Vpc": vpc}
        stacks.create_stack(
            StackName="slr-ray",
            TemplateBody=STACK,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in given.items()
            ],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        (stack,) = stacks.describe_stacks(StackName="slr-ray")["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        yield next(one["OutputValue"] for one in stack["Outputs"] if one["OutputKey"] == "Group")
        utils.resource_cache.cache_clear()


def bootstrapped(cluster: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """As `ray up` does before its first node: the final configuration, and the provider."""
    from ray.autoscaler._private.aws.node_provider import AWSNodeProvider

    config = AWSNodeProvider.bootstrap_config(prepared(cluster))
    return config, AWSNodeProvider(config["provider"], config["cluster_name"])


def heard(provider: Any, event: str) -> list[Any]:
    """What later calls send, checked by then against EC2's own model."""
    calls: list[Any] = []

    def keep(**said: Any) -> None:
        calls.append((said["model"].name, copy.deepcopy(said["params"])))

    for resource in (provider.ec2, provider.ec2_fail_fast):
        resource.meta.client.meta.events.register(event, keep)
    return calls


def requests(cluster: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The RunInstances request of each kind of node."""
    config, provider = bootstrapped(cluster)
    calls = heard(provider, "provide-client-params.ec2.RunInstances")
    for kind in config["available_node_types"]:
        launch(provider, config, kind)
    sent = [params for _, params in calls]
    return dict(zip(config["available_node_types"], sent, strict=True))


def test_each_kind_of_node_asks_for_what_the_file_promises(group: str) -> None:
    asked = requests(filled("aws", sg_SET=group))
    assert list(asked) == ["head", "cpu_spot", "gpu_spot"]
    for kind, one in asked.items():
        assert one["SecurityGroupIds"] == [group]
        assert [disk["Ebs"]["DeleteOnTermination"] for disk in one["BlockDeviceMappings"]] == [True]
        profile = "slr-ray-head" if kind == "head" else "slr-ray-worker"
        assert one["IamInstanceProfile"] == {"Name": profile}
        market = one.get("InstanceMarketOptions", {}).get("MarketType")
        assert market == (None if kind == "head" else "spot")
    machines = [
        machine
        for reservation in boto3.client("ec2").describe_instances()["Reservations"]
        for machine in reservation["Instances"]
    ]
    assert len(machines) == 3


def test_ray_adds_no_group_and_no_profile_of_its_own(group: str) -> None:
    requests(filled("aws", sg_SET=group))
    profiles = boto3.client("iam").list_instance_profiles()["InstanceProfiles"]
    names = {one["InstanceProfileName"] for one in profiles}
    assert names == {"slr-ray-head", "slr-ray-worker"}
    groups = boto3.client("ec2").describe_security_groups()["SecurityGroups"]
    open_to = {
        ranges["CidrIp"]
        for one in groups
        for permission in one["IpPermissions"]
        for ranges in permission["IpRanges"]
    }
    assert open_to == {OURS}


def test_without_our_groups_ray_would_open_ssh_to_the_world(group: str) -> None:
    cluster = filled("aws", sg_SET=group)
    for node in cluster["available_node_types"].values():
        del node["node_config"]["SecurityGroupIds"]
    requests(cluster)
    groups = boto3.client("ec2").describe_security_groups()["SecurityGroups"]
    assert "0.0.0.0/0" in str([one["IpPermissions"] for one in groups])


def test_nodes_reach_each_other_and_one_address_reaches_ssh(group: str) -> None:
    (found,) = boto3.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
    ways_in = {
        (
            one["IpProtocol"],
            one.get("FromPort"),
            *(ranges["CidrIp"] for ranges in one["IpRanges"]),
            *(pair["GroupId"] for pair in one["UserIdGroupPairs"]),
        )
        for one in found["IpPermissions"]
    }
    assert {(way[0], way[2]) for way in ways_in} == {("tcp", OURS), ("-1", group)}
    assert ("tcp", 22, OURS) in ways_in


def allowed(role: str) -> set[str]:
    """The actions that a role's policies allow."""
    iam = boto3.resource("iam")
    statements = [
        statement
        for policy in iam.Role(role).attached_policies.all()
        for statement in policy.default_version.document["Statement"]
    ]
    assert not list(iam.Role(role).policies.all())
    return {
        action
        for statement in statements
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    }


def test_the_head_may_do_what_ray_does_there_and_workers_may_not(group: str) -> None:
    config, provider = bootstrapped(filled("aws", sg_SET=group))
    calls = heard(provider, "before-parameter-build.ec2")
    for kind in ("cpu_spot", "gpu_spot"):
        launch(provider, config, kind)
    nodes = provider.non_terminated_nodes({})
    for node in nodes:
        provider.set_node_tags(node, {"ray-node-status": "up-to-date"})
        assert provider.internal_ip(node)
    provider.terminate_nodes(nodes)
    provider.non_terminated_nodes({})
    done = {f"ec2:{name}" for name, _ in calls}
    assert {"ec2:RunInstances", "ec2:TerminateInstances"} <= done
    of_bucket = {
        *("s3:ListBucket", "s3:GetBucketLocation", "s3:GetObject", "s3:PutObject"),
        *("s3:DeleteObject", "s3:AbortMultipartUpload"),
    }
    assert allowed("slr-ray-head") == done | of_bucket | {"iam:PassRole"}
    assert allowed("slr-ray-worker") == of_bucket


def test_the_stack_refuses_an_address_that_is_the_world() -> None:
    (pattern,) = re.findall(r"AllowedPattern: '(.+)'", STACK)
    assert re.fullmatch(pattern, OURS)
    for wrong in ("0.0.0.0/0", "203.0.113.0/24", "::/0"):
        assert not re.fullmatch(pattern, wrong)


def test_as_it_is_shipped_nothing_starts(group: str) -> None:
    with pytest.raises(AssertionError):  # Ray finds no such group.
        requests(load("aws"))
    assert boto3.client("ec2").describe_instances()["Reservations"] == []


def test_a_misspelt_field_of_a_node_is_refused(group: str) -> None:
    cluster = filled("aws", sg_SET=group)
    node = cluster["available_node_types"]["gpu_spot"]["node_config"]
    node["InstanceMarketOption"] = node.pop("InstanceMarketOptions")
    with pytest.raises(Exception, match="InstanceMarketOption"):
        requests(cluster)
