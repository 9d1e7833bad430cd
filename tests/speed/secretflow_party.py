"""One party of SecretFlow's ECDH-PSI over loopback; runs in the environment of requirements/speed.txt.

Arguments: the own rank (0 or 1), the ports of both parties, the CSV file of the own list with a column `key`, and the
file for the result. A line of standard output has, after `cost:`, the size of the intersection, which both parties get,
the seconds that it took, and the seconds of processor. Start and imports of the process are not in them.
"""

import sys
import time

from spu import libspu, psi

_PATIENCE = 120


def main(rank: int, ports: list[int], source: str, target: str) -> tuple[int, float, float]:
    """Intersect the own list with the peer's; return how many keys both have, seconds, and processor seconds."""
    link = libspu.link.Desc()
    link.connect_retry_times = _PATIENCE
    link.recv_timeout_ms = 1_000 * _PATIENCE
    for place, port in enumerate(ports):
        link.add_party(f"party-{place}", f"127.0.0.1:{port}")
    config = psi.PsiExecuteConfig(
        protocol_conf=psi.PsiProtocolConfig(
            protocol=psi.PsiProtocol.PROTOCOL_ECDH,
            receiver_rank=0,
            broadcast_result=True,
            ecdh_params=psi.EcdhParams(curve=psi.EllipticCurveType.CURVE_25519),
        ),
        input_params=psi.InputParams(path=source, selected_keys=["key"], keys_unique=True),
        output_params=psi.OutputParams(path=target, disable_alignment=True),
    )
    connected = libspu.link.create_brpc(link, rank)
    started, processor = time.perf_counter(), time.process_time()
    report = psi.psi_execute(config, connected)
    return report.intersection_count, time.perf_counter() - started, time.process_time() - processor


if __name__ == "__main__":
    print("cost:", *main(int(sys.argv[1]), [int(port) for port in sys.argv[2:4]], sys.argv[4], sys.argv[5]))
