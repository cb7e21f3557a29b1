using BackupEngine.ObjectStores;
using Polly;
using Polly.Retry;

namespace BackupEngine.S3;

/// <summary>Makes attempts until one succeeds, fails for good, or the last is used up.</summary>
internal sealed class S3Retry
{
    // A wrong address must not look like a hang: until the server has once been reached, few attempts are enough.
    private const int MaxAttemptsUnreached = 3;
    private static readonly TimeSpan _maxDelay = TimeSpan.FromSeconds(10);

    private readonly ResiliencePipeline _pipeline;
    private volatile bool _reached;

    public S3Retry(S3ObjectStoreOptions options)
    {
        if (options.MaxAttempts == 1)
        {
            _pipeline = ResiliencePipeline.Empty;
            return;
        }

        ResiliencePipelineBuilder builder = new() { TimeProvider = options.TimeProvider };
        _pipeline = builder.AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = options.MaxAttempts - 1,
            Delay = options.RetryDelay,
            MaxDelay = _maxDelay,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            ShouldHandle = arguments => ValueTask.FromResult(
                arguments.Outcome.Exception is ObjectStoreException { IsTransient: true } e
                && (arguments.AttemptNumber < MaxAttemptsUnreached - 1 || _reached || !S3Errors.IsUnreachable(e))),
        }).Build();
    }

    public ValueTask ExecuteAsync<TState>(Func<TState, CancellationToken, ValueTask> attempt, TState state, CancellationToken cancellationToken) =>
        new(ExecuteAsync(
            async (from, token) =>
            {
                await attempt(from, token).ConfigureAwait(false);
                return true;
            },
            state,
            cancellationToken).AsTask());

    public async ValueTask<T> ExecuteAsync<TState, T>(Func<TState, CancellationToken, ValueTask<T>> attempt, TState state, CancellationToken cancellationToken)
    {
        int attempts = 0;
        try
        {
            return await _pipeline.ExecuteAsync(CountAsync, state, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectStoreException e) when (e.IsTransient && attempts > 1)
        {
            throw new ObjectStoreException(e.Error, e.Key, $"{e.Message} ({attempts} attempts)", e.InnerException);
        }

        async ValueTask<T> CountAsync(TState from, CancellationToken token)
        {
            attempts++;
            try
            {
                T result = await attempt(from, token).ConfigureAwait(false);
                _reached = true;
                return result;
            }
            catch (ObjectStoreException e) when (!S3Errors.IsUnreachable(e))
            {
                _reached = true;
                throw;
            }
        }
    }
}
