namespace BackupEngine.TestKit.S3;

/// <summary>How an <see cref="AwkwardS3Server"/> behaves. The default is a server that does everything right; each property is one way in which real servers differ.</summary>
public sealed record AwkwardS3Behavior
{
    /// <summary>Gets a value that indicates whether <c>If-None-Match</c> has no effect at all.</summary>
    public bool IgnoresIfNoneMatch { get; init; }

    /// <summary>Gets a value that indicates whether <c>If-Match</c> has no effect at all.</summary>
    public bool IgnoresIfMatch { get; init; }

    /// <summary>Gets a value that indicates whether puts with <c>If-None-Match</c> are answered with 501 NotImplemented.</summary>
    public bool RejectsIfNoneMatch { get; init; }

    /// <summary>Gets a value that indicates whether puts with <c>If-Match</c> are answered with 501 NotImplemented.</summary>
    public bool RejectsIfMatch { get; init; }

    /// <summary>Gets which entity tags in <c>If-Match</c> equal the object's.</summary>
    public AwkwardTags Tags { get; init; }

    /// <summary>Gets a value that indicates whether a put with <c>If-Match</c> stores an object where there is none.</summary>
    public bool IfMatchCreates { get; init; }

    /// <summary>Gets a value that indicates whether every put with <c>If-Match</c> is answered with 412.</summary>
    public bool RefusesEveryIfMatch { get; init; }

    /// <summary>Gets a value that indicates whether a put checks its condition, and then stores, without keeping others out in between.</summary>
    public bool ConditionsAreNotAtomic { get; init; }

    /// <summary>Gets a value that indicates whether each put gets a new entity tag, also of the same content, as with server-side encryption.</summary>
    public bool TagsDifferByPut { get; init; }

    /// <summary>Gets a value that indicates whether requests that delete several objects are answered with 501 NotImplemented.</summary>
    public bool RejectsBatchDelete { get; init; }

    /// <summary>Gets a value that indicates whether a listing answers every request with the same continuation token.</summary>
    public bool RepeatsContinuationToken { get; init; }

    /// <summary>Gets a value that indicates whether every page of a listing is empty and has a new continuation token.</summary>
    public bool ListsEmptyPagesForever { get; init; }

    /// <summary>Gets a value that indicates whether a listing has an empty page with a continuation token before each page with objects.</summary>
    public bool ListsEmptyPagesBetween { get; init; }

    /// <summary>Gets a value that indicates whether a listing also has keys that do not start with the prefix.</summary>
    public bool ListsOtherKeys { get; init; }

    /// <summary>Gets the most objects in a page of a listing.</summary>
    public int MaxPageObjects { get; init; } = 1000;

    /// <summary>Gets how long each answer is delayed.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Gets which requests are carried out without an answer: the connection is cut. Null for none.</summary>
    public Func<AwkwardS3Request, bool>? LosesAnswer { get; init; }
}

/// <summary>Which entity tags in <c>If-Match</c> equal the object's.</summary>
public enum AwkwardTags
{
    /// <summary>Those with quotation marks, and those without.</summary>
    Any,

    /// <summary>Only those with quotation marks; others are never equal.</summary>
    QuotedOnly,

    /// <summary>Only those without quotation marks; others are never equal.</summary>
    UnquotedOnly,

    /// <summary>Only those without quotation marks; a condition with others has no effect, as if it were malformed.</summary>
    QuotedDropped,

    /// <summary>Only those with quotation marks; a condition with others has no effect, as if it were malformed.</summary>
    UnquotedDropped,
}

/// <summary>One request to an <see cref="AwkwardS3Server"/>.</summary>
/// <param name="Number">The number of requests of the same method before it.</param>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The bucket and key.</param>
/// <param name="Query">The query, with its question mark.</param>
/// <param name="IfMatch">The header; null without one.</param>
/// <param name="IfNoneMatch">The header; null without one.</param>
public sealed record AwkwardS3Request(int Number, string Method, string Path, string Query, string? IfMatch, string? IfNoneMatch);
