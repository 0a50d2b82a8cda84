package org.pushbridge.call;

/**
 * What carries out the actions of one call. Implemented above the edges; called on the call's own thread, in the order
 * of the actions. Timers and the end of the call are the engine's own business. Methods must not block and must not throw: a failure comes back as an event.
 */
public interface CallPorts {
    void respondToCaller(CallAction.RespondToCaller action);

    void answerCaller(CallAction.AnswerCaller action);

    void answerAgain(CallAction.AnswerAgain action);

    void invite(CallAction.Invite action);

    void cancel(CallAction.Cancel action);

    void acknowledge(CallAction.Acknowledge action);

    void bye(CallAction.Bye action);

    void forward(CallAction.Forward action);

    void reply(CallAction.Reply action);

    void acknowledgeExchange(CallAction.AcknowledgeExchange action);

    void cancelExchange(CallAction.CancelExchange action);

    void push(CallAction.Push action);

    void alertMissedCall(CallAction.AlertMissedCall action);

    void bury(CallAction.Bury action);

    void pushEnd(CallAction.PushEnd action);

    void pushForRequest(CallAction.PushForRequest action);

    void cancelAgain(CallAction.CancelAgain action);

    void repeatFinal(CallAction.RepeatFinal action);
}
