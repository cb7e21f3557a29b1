using BackupEngine.ObjectStores;
using BackupEngine.TestKit.ObjectStores;
using BackupEngine.TestKit.Requirements;
using BackupEngine.TestKit.S3;

namespace BackupEngine.S3.Tests;

/// <summary>What every store must do, on servers that differ in what is allowed.</summary>
public abstract class AwkwardConformance(string name) : ObjectStoreConformance
{
    private AwkwardS3Server? _server;

    protected override async ValueTask<IObjectStore> CreateEmptyAsync()
    {
        _server = await AwkwardS3Server.StartAsync(AwkwardBehaviors.All[name]);
        return AwkwardBehaviors.Open(_server, S3Server.NewBucketName());
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

public sealed class DefaultAwkwardServerTests() : AwkwardConformance("default");

[LongRunning(NeedsTools = true)]
public sealed class QuotedTagsAwkwardServerTests() : AwkwardConformance("quoted only");

public sealed class UnquotedTagsAwkwardServerTests() : AwkwardConformance("unquoted only");

[LongRunning(NeedsTools = true)]
public sealed class DifferingTagsAwkwardServerTests() : AwkwardConformance("tags differ by put, unquoted only");

[LongRunning(NeedsTools = true)]
public sealed class SingleDeletesAwkwardServerTests() : AwkwardConformance("no batch delete");

[LongRunning(NeedsTools = true)]
public sealed class ShortPagesAwkwardServerTests() : AwkwardConformance("short pages");
