using BackupEngine.TestKit.S3;
using Xunit;

namespace BackupEngine.S3.Tests;

/// <summary>The behaviours of the awkward server that tests run through, by name.</summary>
internal static class AwkwardBehaviors
{
    public static IReadOnlyDictionary<string, AwkwardS3Behavior> All { get; } = new Dictionary<string, AwkwardS3Behavior>
    {
        ["default"] = new(),
        ["quoted only"] = new() { Tags = AwkwardTags.QuotedOnly },
        ["unquoted only"] = new() { Tags = AwkwardTags.UnquotedOnly },
        ["drops quoted"] = new() { Tags = AwkwardTags.QuotedDropped },
        ["drops unquoted"] = new() { Tags = AwkwardTags.UnquotedDropped },
        ["tags differ by put"] = new() { TagsDifferByPut = true },
        ["tags differ by put, unquoted only"] = new() { TagsDifferByPut = true, Tags = AwkwardTags.UnquotedOnly },
        ["no batch delete"] = new() { RejectsBatchDelete = true },
        ["short pages"] = new() { MaxPageObjects = 3, ListsEmptyPagesBetween = true },
        ["slow"] = new() { Delay = TimeSpan.FromMilliseconds(5) },
        ["ignores both"] = new() { IgnoresIfNoneMatch = true, IgnoresIfMatch = true },
        ["ignores If-None-Match"] = new() { IgnoresIfNoneMatch = true },
        ["ignores If-Match"] = new() { IgnoresIfMatch = true },
        ["rejects both"] = new() { RejectsIfNoneMatch = true, RejectsIfMatch = true },
        ["rejects If-None-Match"] = new() { RejectsIfNoneMatch = true },
        ["rejects If-Match"] = new() { RejectsIfMatch = true },
        ["If-Match creates"] = new() { IfMatchCreates = true },
        ["refuses every If-Match"] = new() { RefusesEveryIfMatch = true },
    };

    /// <summary>Servers that a repository can be on, if the engine finds out how to talk to them.</summary>
    public static TheoryData<string> Good => ["default", "quoted only", "unquoted only", "drops quoted", "drops unquoted", "tags differ by put", "tags differ by put, unquoted only", "no batch delete", "short pages", "slow"];

    /// <summary>Servers that lack something, and what the message must name.</summary>
    public static TheoryData<string, string> Bad => new()
    {
        { "ignores both", "it accepts a put if absent (If-None-Match: *) in the place of an existing object" },
        { "ignores If-None-Match", "it accepts a put if absent (If-None-Match: *) in the place of an existing object" },
        { "ignores If-Match", "it accepts a put if unchanged (If-Match) in the place of an object that is another one" },
        { "rejects both", "it does not understand a put if absent (If-None-Match: *)" },
        { "rejects If-None-Match", "501 NotImplemented" },
        { "rejects If-Match", "it does not understand a put if unchanged (If-Match)" },
        { "If-Match creates", "it accepts a put if unchanged (If-Match) in the place of an object that does not exist" },
        { "refuses every If-Match", "it refuses a put if unchanged (If-Match) in the place of the unchanged object" },
    };

    public static S3ObjectStore Open(AwkwardS3Server server, string bucket = "bucket", string prefix = "prefix") => new(new S3ObjectStoreOptions
    {
        Bucket = bucket,
        Prefix = prefix,
        Endpoint = server.Endpoint,
        Region = "us-east-1",
        AccessKey = "awkward",
        SecretKey = "awkward-secret",
        RetryDelay = TimeSpan.FromMilliseconds(1),
    });
}
