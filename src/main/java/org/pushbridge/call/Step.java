package org.pushbridge.call;

import java.util.List;

/** The result of one event: the call as it is now, and what to do, in order. */
public record Step(Call call, List<CallAction> actions) {
    public Step {
        actions = List.copyOf(actions);
    }
}
