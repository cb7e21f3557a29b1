namespace BackupEngine.S3.Tests;

/// <summary>What a <see cref="FaultProxy"/> does to one request.</summary>
internal abstract record Fault
{
    public static Fault None { get; } = new PassFault();

    /// <summary>Answers in the server's place, which never sees the request.</summary>
    public static Fault Answer(int status, string code) => new AnswerFault(status, code);

    /// <summary>Resets the connection after some bytes of the request's body.</summary>
    public static Fault ResetInRequest(int afterBytes) => new ResetInRequestFault(afterBytes);

    /// <summary>Changes one bit of the request's body.</summary>
    public static Fault FlipInRequest(int at) => new FlipInRequestFault(at);

    /// <summary>Lets the server answer, and passes on only some bytes of the answer's body; then the connection is reset or, cleanly, closed.</summary>
    public static Fault CutAnswer(int afterBytes, bool reset) => new CutAnswerFault(afterBytes, reset);

    /// <summary>Lets the server do what was asked, and passes nothing of its answer on.</summary>
    public static Fault LoseAnswer { get; } = new CutAnswerFault(-1, Reset: true);

    /// <summary>Never answers.</summary>
    public static Fault Stall { get; } = new StallFault();

    /// <summary>Takes in the request so slowly, but without a pause.</summary>
    public static Fault Slow(int bytesPerSecond) => new SlowFault(bytesPerSecond);

    /// <summary>Answers in the server's place that all is well, with a body.</summary>
    public static Fault Say(string body) => new SayFault(body);

    internal sealed record PassFault : Fault;

    internal sealed record AnswerFault(int Status, string Code) : Fault;

    internal sealed record ResetInRequestFault(int AfterBytes) : Fault;

    internal sealed record FlipInRequestFault(int At) : Fault;

    internal sealed record CutAnswerFault(int AfterBytes, bool Reset) : Fault;

    internal sealed record StallFault : Fault;

    internal sealed record SlowFault(int BytesPerSecond) : Fault;

    internal sealed record SayFault(string Body) : Fault;
}
