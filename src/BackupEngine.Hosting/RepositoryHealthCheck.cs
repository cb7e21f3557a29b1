using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace BackupEngine.Hosting;

/// <summary>Healthy while the repository can be opened.</summary>
internal sealed class RepositoryHealthCheck(RepositoryHost host) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            return HealthCheckResult.Healthy($"{await host.CheckAsync(cancellationToken).ConfigureAwait(false)} can be read.");
        }
        catch (BackupEngineException e)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, e.Message, e);
        }
    }
}
