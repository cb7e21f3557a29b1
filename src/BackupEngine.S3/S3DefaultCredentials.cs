using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using Amazon.S3;

namespace BackupEngine.S3;

/// <summary>The standard AWS credential chain, gone through at the first request: an instance's credentials are asked for over the network.</summary>
internal sealed class S3DefaultCredentials(AmazonS3Config config) : AWSCredentials
{
    private readonly Lock _resolving = new();
    private AWSCredentials? _found;

    public override ImmutableCredentials GetCredentials() => Find().GetCredentials();

    public override async Task<ImmutableCredentials> GetCredentialsAsync()
    {
        AWSCredentials found = Volatile.Read(ref _found) ?? await Task.Run(Find).ConfigureAwait(false);
        return await found.GetCredentialsAsync().ConfigureAwait(false);
    }

    private AWSCredentials Find()
    {
        lock (_resolving)
            return _found ??= DefaultAWSCredentialsIdentityResolver.GetCredentials(config);
    }
}
