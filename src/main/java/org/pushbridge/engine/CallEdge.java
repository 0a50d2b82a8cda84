package org.pushbridge.engine;

import java.util.List;
import java.util.concurrent.CompletionStage;
import org.pushbridge.call.Call;
import org.pushbridge.call.CallAction;
import org.pushbridge.call.CallPorts;
import org.pushbridge.call.Ending;

/** What an edge keeps for one call and does for it. All methods are called on the call's thread. */
public interface CallEdge extends CallPorts {
    /**
     * Has the call written down as it stands after a step, before the step is carried out.
     *
     * @param memory what the rules want to be remembered
     * @param actions those of the step
     * @param awaited whether anything of the step is carried out only when it is on disk
     * @return completes, on any thread, when it is on disk; exceptionally if it cannot be for now: a call that has begun
     *     goes on then all the same
     */
    CompletionStage<Void> remember(Call memory, List<CallAction> actions, boolean awaited);

    /** The call is remembered for the first time: from now on, the caller may be told something. */
    void begun();

    /** The call could not be remembered and is forgotten: refuse it. */
    void notBegun();

    /** The call is over and forgotten; the value is its last. */
    void finished(Call call, Ending ending);

    /** The call broke and is forgotten: end every leg as well as can be, the caller's with a 500. */
    void broken();
}
