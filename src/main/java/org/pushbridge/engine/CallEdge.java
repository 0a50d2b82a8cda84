package org.pushbridge.engine;

import org.pushbridge.call.Call;
import org.pushbridge.call.CallPorts;
import org.pushbridge.call.Ending;

/** What an edge keeps for one call and does for it. All methods are called on the call's thread. */
public interface CallEdge extends CallPorts {
    /** The call is over and forgotten; the value is its last. */
    void finished(Call call, Ending ending);

    /** The call broke and is forgotten: end every leg as well as can be, the caller's with a 500. */
    void broken();
}
