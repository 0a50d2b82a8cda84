package org.pushbridge.sip;

import java.util.List;

/**
 * One dialog of one leg (RFC 3261 section 12), as a value.
 *
 * @param callId the leg's Call-ID
 * @param local the bridge's own address in it, as it stands in From or To without its tag
 * @param localTag the bridge's tag
 * @param remote the far end's address, without its tag
 * @param remoteTag the far end's tag
 * @param localCseq the number of the last request sent in it
 * @param remoteCseq the number of the last request received in it, -1 before
 * @param routes the route set, in the order requests take it
 * @param remoteTarget the far end's Contact URI
 * @param secure whether it was made over TLS with a sips URI (RFC 3261 section 12.1.1)
 */
record Dialog(
        String callId,
        String local,
        String localTag,
        String remote,
        String remoteTag,
        long localCseq,
        long remoteCseq,
        List<String> routes,
        String remoteTarget,
        boolean secure) {
    Dialog {
        routes = List.copyOf(routes);
    }

    Dialog nextRequest() {
        return new Dialog(
                callId, local, localTag, remote, remoteTag, localCseq + 1, remoteCseq, routes, remoteTarget, secure);
    }

    Dialog received(long cseq) {
        return new Dialog(callId, local, localTag, remote, remoteTag, localCseq, cseq, routes, remoteTarget, secure);
    }

    Dialog refreshed(String newTarget) {
        return new Dialog(callId, local, localTag, remote, remoteTag, localCseq, remoteCseq, routes, newTarget, secure);
    }

    Dialog counting(long lastLocal, long lastRemote) {
        return new Dialog(
                callId, local, localTag, remote, remoteTag, lastLocal, lastRemote, routes, remoteTarget, secure);
    }
}
